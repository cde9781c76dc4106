#include "pair.h"
__attribute__((aligned(65536))) char wide[100] = {1, 3};
__attribute__((aligned(8192))) const int constWide[4] = {1, 4};
static __attribute__((aligned(65536))) char zeroes[640];
__attribute__((aligned(4096))) NOINLINE int aligned(int x) { OPAQUE(x); return x + 10; }
NOINLINE int check(void) { char *p = zeroes; OPAQUE(p); return (int)((unsigned long)p & 65535) + p[3] + 5; }
NOINLINE int grown(void) { int x = 1; for (int i = 0; i < 9; ++i) { OPAQUE(x); x *= 3; } return x; }
