//===- SessionState.h - what of a session survives its server -------------===//
//
// A server that is killed has read messages that nobody will send again. A
// fault is no problem: its thread still waits, and UFFDIO_WAKE makes it fault
// anew. But a REMOVE (or UNMAP) is gone once read(2) took it: its remover runs
// on, and the pages it gave up must be zero for ever after, not the snapshot's.
//
// So the state is a memfd that a keeper process holds as well, mapped shared:
//
//   page 0   header
//   page 1   the buffer that read(2) fills: the kernel itself writes messages
//            into memory that survives. Event 0 is no message
//   then     the regions
//   then     one bit for each page of the regions: was removed
//
// 1. read(2) fills the buffer, which was zero.
// 2. Every REMOVE of it goes into the bits.
// 3. The faults are served.
// 4. The buffer is zeroed.
//
// Killed after 1 or 2, the successor does 2 again: setting bits twice is the
// same as once. A bit that is set says only "when absent, zero"; a page that
// was zeroed and written meanwhile is present and does not ask. Killed after 3,
// likewise. Killed inside 1: SIGKILL takes effect when the call returns, and
// the kernel takes a message and copies it without leaving; the buffer is
// locked in memory so that the copy cannot fail on the way.
//
// Cost: one memfd of 12 KiB and a bit a page; nothing on the path of a fault
// but zeroing 32 bytes.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_SESSIONSTATE_H
#define SPACER_RUNTIME_SESSIONSTATE_H

#include "Fd.h"
#include "PageMap.h"
#include "Region.h"
#include "Result.h"
#include <linux/userfaultfd.h>
#include <optional>
#include <span>
#include <vector>

namespace spacer {

/// EINVAL unless \p regions rise, do not overlap, are whole aligned pages,
/// lie inside \p map, and pool mappings continue in the pool.
Result<void> checkRegions(std::span<const Region> regions, const PageMap &map);

/// Belongs to one thread at a time.
class SessionState {
public:
  /// \p regions passed checkRegions().
  static Result<SessionState> create(std::vector<Region> regions);
  /// Of a server that is dead. EBADMSG if \p fd is no such state.
  static Result<SessionState> adopt(UniqueFd fd);

  int fd() const { return memfd.get(); }
  const std::vector<Region> &regions() const { return list; }
  /// Pages of all regions: one more than the last bit.
  uint64_t pages() const { return firstBit.back(); }

  /// A page of a region.
  struct Place {
    const Region *region = nullptr;
    uint64_t page = 0; ///< in the region, of 4096 bytes
    uint64_t bit = 0;  ///< among the pages of all regions
  };
  std::optional<Place> find(HostAddr at) const;
  /// The place of a bit, which must be below pages().
  Place place(uint64_t bit) const;

  bool removed(uint64_t bit) const { return bits()[bit / 64] >> bit % 64 & 1; }
  /// Marks what of [start, end) lies in regions; returns those pages.
  uint64_t remove(HostAddr start, HostAddr end);

  /// The buffer of step 1.
  std::span<uffd_msg> messages() const {
    return {reinterpret_cast<uffd_msg *>(memory.data() + pageBytes),
            pageBytes / sizeof(uffd_msg)};
  }
  /// Step 4, of the first \p count messages; all stores before it come first.
  void clearMessages(size_t count);

  /// Set for good when the session cannot be served; survives too.
  bool broken() const;
  void setBroken();

private:
  SessionState() = default;
  Result<void> map(uint64_t bytes);
  void indexRegions();
  uint64_t *bits() const {
    return reinterpret_cast<uint64_t *>(memory.data() + bitOffset);
  }

  UniqueFd memfd;
  Mapping memory;
  uint64_t bitOffset = 0;
  std::vector<Region> list;
  std::vector<uint64_t> firstBit; ///< one a region, and one past the last
  mutable size_t lastFound = 0;
};

} // namespace spacer

#endif
