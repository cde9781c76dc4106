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
#include <string>

namespace spacer {

/// Reads every page of \p map from \p pool, each against its digest, and seals
/// the file against writing and resizing. \p name shows in /proc/PID/maps.
/// EBADMSG if one page is not what it was: then there is no file.
Result<UniqueFd> makeMemoryFile(const PageMap &map, const PagePool &pool,
                                const std::string &name);

} // namespace spacer

#endif
