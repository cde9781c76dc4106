#include "pair.h"
#ifndef GROWN
#define GROWN 0
#endif
#define TEN(M, d) M(d##0) M(d##1) M(d##2) M(d##3) M(d##4) M(d##5) M(d##6) M(d##7) M(d##8) M(d##9)
#define ALL(M) TEN(M, ) TEN(M, 1) TEN(M, 2) TEN(M, 3) TEN(M, 4) TEN(M, 5) TEN(M, 6) TEN(M, 7) TEN(M, 8) TEN(M, 9) \
  TEN(M, 10) TEN(M, 11)
#define STEP(k) OPAQUE(x); x = x * (k) + (x >> 3);
#define SEVERAL STEP(3) STEP(5) STEP(7) STEP(9) STEP(11) STEP(13) STEP(15) STEP(17)
#define NAMES(n) work##n,
static NOINLINE int leaf(int x) { OPAQUE(x); return x + LEAF; }
#define DEFINE(n) \
  static NOINLINE int work##n(int x) { \
    SEVERAL SEVERAL \
    if (GROWN && n % 10 == 3) { SEVERAL SEVERAL SEVERAL } \
    return leaf(x % 1000) + n + (n == CHANGED); \
  }
ALL(DEFINE)
int (*const all[])(int) = {ALL(NAMES)};
NOINLINE int start(int x) { return work0(x) + work50(x) + work119(x); }
