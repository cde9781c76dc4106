//===- MemoryFile.h - a snapshot's memory as one sealed file --------------===//
//
// For a VMM that maps a file of guest memory privately (Firecracker's `File`
// backend): a memfd as long as the guest, holes where it is zero. All that map
// it share each page until they write it, so one snapshot is shared with
// itself, not with others.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_MEMORYFILE_H
#define SPACER_RUNTIME_MEMORYFILE_H

#include "Fd.h"
#include "PageMap.h"
#include "PagePool.h"
#include <filesystem>
#include <string>

namespace spacer {

/// Reads every page of \p map from \p pool, each against its digest, and seals
/// the file against writing and resizing. \p name shows in /proc/PID/maps.
/// EBADMSG if one page is not what it was: then there is no file.
Result<UniqueFd> makeMemoryFile(const PageMap &map, const PagePool &pool,
                                const std::string &name);

/// The same once for all processes of this host that ask with the same
/// \p directory (made if it is not there, 0700) and the same map: the first
/// makes the file, the others take it from a living process that has it. The
/// descriptor is read-only or sealed, and stays open until this process ends.
///
/// In the directory is a text file for each memory file, locked while it is
/// used: a line with pid, start time, descriptor and inode for each process.
/// Page numbers of a pool are never used twice, so domain and map say what the
/// content is; the inode and the seals say that the descriptor still is it.
Result<int> sharedMemoryFile(const std::filesystem::path &directory,
                             const PageMap &map, const PagePool &pool,
                             const std::string &name);

} // namespace spacer

#endif
