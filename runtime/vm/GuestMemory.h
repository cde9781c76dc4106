//===- GuestMemory.h - another process's guest memory, from outside -------===//

#ifndef SPACER_RUNTIME_GUESTMEMORY_H
#define SPACER_RUNTIME_GUESTMEMORY_H

#include "Driver.h"
#include "PageSource.h"

namespace spacer {

/// One line of /proc/PID/maps.
struct ProcessMapping {
  HostAddr start, end;
  bool shared = false;
  uint64_t inode = 0; ///< 0: anonymous
  std::string device; ///< "fd:00"
};
Result<std::vector<ProcessMapping>> readMappings(int pid);
/// The same of a text, for tests. EBADMSG with the line.
Result<std::vector<ProcessMapping>> parseMappings(std::string_view text,
                                                  const std::string &file);

struct GuestUsage {
  uint64_t ownPages = 0;    ///< the process's alone: written, or copied
  uint64_t sharedPages = 0; ///< mapped from the pool and not written
};
/// ENOTTY before Linux 6.7 (no PAGEMAP_SCAN).
Result<GuestUsage> guestUsage(const ProcessId &process,
                              const std::vector<GuestBlock> &blocks);

/// The memory of a paused guest. Reads through /proc/PID/mem, or the memfd
/// itself if the guest runs in one; pages that nobody ever touched are not
/// touched. \p name is for messages.
Result<std::unique_ptr<PageSource>>
openGuestMemory(const ProcessId &process, const std::vector<GuestBlock> &blocks,
                const std::string &name);

} // namespace spacer

#endif
