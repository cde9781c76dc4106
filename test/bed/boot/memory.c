// Memory for the program: brk, anonymous mappings and the stack.
//
// Everything lies in one arena that starts at 128 MiB, because images keep what
// is below: their own sections from 1 MiB on, and what a linker may place
// between 16 and 128 MiB.
//
//   128 MiB  brk, 16 MiB           musl's allocator takes its bookkeeping pages
//   from here
//            mappings              first fit over a bitmap, one bit a page
//   top - 8  stack, 8 MiB          as large as Linux would give
//
// Nothing is protected: the whole of memory is mapped writable and executable
// at boot.
#include "boot.h"

#define MIB 0x100000ul
#define BREAK_LIMIT (ARENA_BASE + 16 * MIB)
#define STACK_BYTES (8 * MIB)

enum { maxPages = (ARENA_LIMIT - BREAK_LIMIT) / pageBytes };

static uint64_t used[(maxPages + 63) / 64];
static size_t pages;
static uintptr_t currentBreak = ARENA_BASE;
static uintptr_t stackTop;

void memoryInit(uintptr_t limit) {
  if (limit > ARENA_LIMIT)
    limit = ARENA_LIMIT;
  stackTop = limit & -(uintptr_t)pageBytes;
  pages = (stackTop - STACK_BYTES - BREAK_LIMIT) / pageBytes;
}

uintptr_t memoryStackTop(void) { return stackTop; }

long memoryBreak(uintptr_t to) {
  if (to >= ARENA_BASE && to <= BREAK_LIMIT) {
    if (to > currentBreak)
      memset((void *)currentBreak, 0, to - currentBreak);
    currentBreak = to;
  }
  return (long)currentBreak;
}

static int isUsed(size_t page) { return used[page / 64] >> page % 64 & 1; }

static void mark(size_t first, size_t count, int inUse) {
  for (size_t page = first; page < first + count; ++page)
    if (inUse)
      used[page / 64] |= 1ul << page % 64;
    else
      used[page / 64] &= ~(1ul << page % 64);
}

long memoryMap(size_t bytes) {
  size_t want = (bytes + pageBytes - 1) / pageBytes;
  if (!want)
    return -eINVAL;
  size_t run = 0;
  for (size_t page = 0; page < pages; ++page) {
    run = isUsed(page) ? 0 : run + 1;
    if (run < want)
      continue;
    size_t first = page + 1 - want;
    mark(first, want, 1);
    uintptr_t at = BREAK_LIMIT + first * pageBytes;
    memset((void *)at, 0, want * pageBytes);
    return (long)at;
  }
  return -eNOMEM;
}

long memoryUnmap(uintptr_t at, size_t bytes) {
  size_t first = (at - BREAK_LIMIT) / pageBytes;
  size_t count = (bytes + pageBytes - 1) / pageBytes;
  if (at % pageBytes || at < BREAK_LIMIT || first + count > pages)
    return -eINVAL;
  mark(first, count, 0);
  return 0;
}
