#include "pair.h"
int jmpSet(long *) __attribute__((returns_twice));
void jmpGo(long *, int) __attribute__((noreturn));
static long buffer[8];
static volatile int calls;
static NOINLINE void deep(int n) { ++calls; if (n) deep(n - 1); else jmpGo(buffer, CODE); ++calls; }
NOINLINE int protectedCall(int fail) {
  int code = jmpSet(buffer);
  if (code)
    return code;
  if (fail)
    deep(DEPTH);
  return 1;
}
NOINLINE int depth(void) { return calls; }
