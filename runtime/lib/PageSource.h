//===- PageSource.h - guest memory on its way into a pool -----------------===//
//
// An image, a raw snapshot or a sparse file, as a stream of stretches of guest
// pages. What no chunk covers is zero. The bytes of a chunk are the reader's
// own copy: a file that changes meanwhile cannot change them after they were
// hashed.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PAGESOURCE_H
#define SPACER_RUNTIME_PAGESOURCE_H

#include "Digest.h"
#include "Result.h"
#include "Units.h"
#include <memory>
#include <span>
#include <string>

namespace spacer {

enum class ObjectKind : uint8_t {
  Image = 0,    ///< an ELF image, pages at their physical addresses
  Snapshot = 1, ///< a guest's memory
  File = 2,     ///< any file
};

struct PageChunk {
  GuestPage first;
  std::span<const uint8_t> bytes;  ///< whole pages; empty at the end
  std::span<const Digest> digests; ///< one a page, or empty: not known
};

class PageSource {
public:
  virtual ~PageSource() = default;
  virtual ObjectKind kind() const = 0;
  virtual uint64_t guestPages() const = 0;
  /// Bytes that next() will give in all, for progress; an estimate.
  virtual uint64_t bytesToRead() const = 0;
  /// The next stretch, by rising guest page, valid until the next call. The
  /// source checks what the file itself claims (a manifest's digests) and fails
  /// with EBADMSG where it does not hold.
  virtual Result<PageChunk> next() = 0;
};

/// An ELF image by its program headers, at physical addresses (as a VMM loads
/// it); with a manifest, each page is checked against it. ENOEXEC if \p path is
/// no ELF image for x86-64, EBADMSG if its manifest lies.
Result<std::unique_ptr<PageSource>> openImage(const std::string &path);
/// A file of guest memory, holes and all. Its length is rounded up to a page.
Result<std::unique_ptr<PageSource>> openRaw(const std::string &path,
                                            ObjectKind kind);
/// The same of an open descriptor, which the source duplicates; \p name is for
/// messages.
Result<std::unique_ptr<PageSource>> openRaw(int fd, const std::string &name,
                                            ObjectKind kind);

} // namespace spacer

#endif
