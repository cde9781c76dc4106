#include "pair.h"
static NOINLINE int op(int k, int x) { OPAQUE(x); return k * 100 + x; }
NOINLINE int dispatch(int what, int x) {
  switch (what) {
  case 7: return op(1, x) + 1;
  case 1: return op(2, x) * 2;
  case 4: return op(3, x) - 3;
  case 3: return op(4, x) ^ 4;
  case 2: return op(5, x) | 5;
  case 5: return op(6, x) & ~6;
  case 0: return op(7, x) % 7;
  case 6: return op(8, x) / 8;
  }
  return -1;
}
