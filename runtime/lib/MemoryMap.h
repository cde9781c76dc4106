//===- MemoryMap.h - a plan made real in this process ---------------------===//

#ifndef SPACER_RUNTIME_MEMORYMAP_H
#define SPACER_RUNTIME_MEMORYMAP_H

#include "Fd.h"
#include "Plan.h"

namespace spacer {

/// A stretch of guest memory that a fault handler must serve.
struct LazyRange {
  HostAddr start;
  uint64_t bytes = 0;
  GuestPage guest;
};

/// Composes \p plan over [base, base + guest bytes), which must be the caller's
/// to replace (page-aligned; an existing mapping of at least that size). Pool
/// steps map \p poolFd privately with \p protection; copies are read from it
/// with pread(). Returns the lazy ranges, one for each mapping, not yet
/// registered with any userfaultfd: nobody may touch them before that. On
/// failure the range is anonymous zero memory.
Result<std::vector<LazyRange>> mapPlan(const Plan &plan, int poolFd,
                                       HostAddr base,
                                       int protection = PROT_READ | PROT_WRITE);

/// The same over a range of its own.
struct GuestMemory {
  Mapping memory;
  std::vector<LazyRange> lazy;
};
Result<GuestMemory> mapPlan(const Plan &plan, int poolFd);

/// After a balloon or a discard: the pages read as zero from now on and the
/// host gets the memory back. For ranges that no userfaultfd watches.
Result<void> discard(HostAddr start, uint64_t bytes);

} // namespace spacer

#endif
