//===- Files.h - small files, written whole, and sockets in folders -------===//

#ifndef SPACER_RUNTIME_FILES_H
#define SPACER_RUNTIME_FILES_H

#include "Fd.h"
#include "Result.h"
#include <filesystem>
#include <string>
#include <string_view>

namespace spacer {

/// At most \p mostBytes (EFBIG).
Result<std::string> readFile(const std::filesystem::path &path,
                             size_t mostBytes = 1 << 20);
/// Under another name first, then renamed: whole or not at all, mode 0600.
Result<void> writeFile(const std::filesystem::path &path,
                       std::string_view text);
/// The last line that is not empty, without control characters; "" if none.
std::string lastLine(const std::filesystem::path &path);

/// A memfd of \p bytes, close-on-exec, sealed against other sizes.
Result<UniqueFd> makeMemfd(const char *name, uint64_t bytes);
/// A memfd with these bytes, sealed against any change.
Result<UniqueFd> makeSealed(const char *name, std::string_view bytes);

/// Stream sockets, close-on-exec. The length of the path does not matter: the
/// folder is opened and named by its descriptor.
Result<UniqueFd> listenAt(const std::filesystem::path &path);
Result<UniqueFd> connectStream(const std::filesystem::path &path);

} // namespace spacer

#endif
