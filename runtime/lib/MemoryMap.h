//===- MemoryMap.h - a plan made real in this process ---------------------===//

#ifndef SPACER_RUNTIME_MEMORYMAP_H
#define SPACER_RUNTIME_MEMORYMAP_H

#include "Fd.h"
#include "Plan.h"
#include <functional>

namespace spacer {

/// A stretch of guest memory that a fault handler must serve.
struct LazyRange {
  HostAddr start;
  uint64_t bytes = 0;
  GuestPage guest;
};

/// Reads whole pages of the pool from \p first on; PagePool::read() is one.
using PageReader =
    std::function<Result<void>(PoolPage first, std::span<uint8_t> out)>;

/// Composes \p plan over [base, base + guest bytes), which must be the caller's
/// to replace (page-aligned; an existing mapping of at least that size). Pool
/// steps map \p poolFd privately with \p protection.
///
/// Without \p reader, \p poolFd must hold the pages of all pool and copy steps
/// (a hole would read as zeros), copies are read from it, and the lazy ranges
/// are returned, one for each mapping, not yet registered with any userfaultfd:
/// nobody may touch them before that. With \p reader, copy and lazy steps are
/// read through it and nothing stays lazy.
///
/// EBADMSG if the pool is shorter than the plan. On failure the range is
/// anonymous zero memory.
Result<std::vector<LazyRange>> mapPlan(const Plan &plan, int poolFd,
                                       HostAddr base,
                                       int protection = PROT_READ | PROT_WRITE,
                                       const PageReader &reader = {});

/// The same over a range of its own.
struct GuestMemory {
  Mapping memory;
  std::vector<LazyRange> lazy;
};
Result<GuestMemory> mapPlan(const Plan &plan, int poolFd,
                            const PageReader &reader = {});

/// Replaces [start, start + bytes) by anonymous zero pages (MAP_NORESERVE,
/// MADV_NOHUGEPAGE). False with errno set if the kernel refuses; the range is
/// then as it was.
bool mapZero(HostAddr start, uint64_t bytes, int protection);

/// After a balloon or a discard: the pages read as zero from now on and the
/// host gets the memory back. A range inside a pool mapping takes up to two
/// mappings; when the process has none left, the pages are written with zeros
/// instead and keep their memory. Where a userfaultfd watches, MADV_DONTNEED
/// does the same and needs no mapping; a page server bears both.
Result<void> discard(HostAddr start, uint64_t bytes);

} // namespace spacer

#endif
