//===- Heap.cpp - a heap of huge pages ------------------------------------===//
//
// A link allocates some megabytes in small pieces and frees next to nothing, so
// almost every page of its heap is a page fault, and together they take a
// quarter of a small link's time. One fault on a huge page stands for 512.
// So:
//  1. the heap grows by heapStep at a time, and nothing is given back, nor
//     mapped by itself, so that large vectors do not fault anew as they grow;
//  2. the first step is advised to be of huge pages (madvise(2), which works
//     where /sys/kernel/mm/transparent_hugepage/enabled says madvise);
//  3. where there are few processors, threads share that heap: what they would
//     gain by heaps of their own is less than what those fault.
// Untouched parts of a step cost nothing; the last huge page wastes less than
// 2 MiB. A link that needs more than one step goes on with small pages.
//
//===----------------------------------------------------------------------===//

#include "Heap.h"
#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace spacer {

#ifdef __GLIBC__

static constexpr int heapStep = 128 << 20;
static constexpr uintptr_t hugePageBytes = 2 << 20;

void useHugePagesForHeap() {
  if (sysconf(_SC_NPROCESSORS_ONLN) <= 4)
    mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, heapStep);
  mallopt(M_TRIM_THRESHOLD, 2 * heapStep);
  mallopt(M_MMAP_THRESHOLD, heapStep / 4);
  // More than what is left of the heap: it grows now.
  void *grow = malloc(1 << 20);
  auto *volatile kept = grow; // or the compiler would leave out both
  free(kept);
  auto end = reinterpret_cast<uintptr_t>(sbrk(0));
  auto begin = (reinterpret_cast<uintptr_t>(grow) + hugePageBytes - 1) &
               ~(hugePageBytes - 1);
  end &= ~(hugePageBytes - 1);
  if (grow && begin < end && end - begin < 2ull * heapStep)
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
}

#else

void useHugePagesForHeap() {}

#endif

} // namespace spacer
