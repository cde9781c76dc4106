#include "pair.h"
__attribute__((aligned(65536))) char wide[100] = {1, 2};
__attribute__((aligned(8192))) const int constWide[4] = {1, 2};
static __attribute__((aligned(16384))) char zeroes[64];
__attribute__((aligned(4096))) NOINLINE int aligned(int x) { OPAQUE(x); return x + 1; }
NOINLINE int check(void) { char *p = zeroes; OPAQUE(p); return (int)((unsigned long)p & 16383) + p[3]; }
NOINLINE int grown(void) { return 1; }
