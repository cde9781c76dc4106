#include "pair.h"
static int failures;
__attribute__((cold)) static NOINLINE int fail(int x) { failures += x; OPAQUE(x); return x - COLD; }
NOINLINE int parse(int x) {
  if (__builtin_expect(x < 0, 0)) {
    int y = fail(x);
    OPAQUE(y);
    return fail(y) + fail(x) * 3;
  }
  return x * 2;
}
static NOINLINE int scale(int x, int factor, int unused) { OPAQUE(x); return x * factor + HOT; }
NOINLINE int many(int x) { return scale(x, 3, 1) + scale(x + 1, 3, 2) + scale(x + 2, 3, 3); }
NOINLINE int scaled(int x) { return scale(x, 3, 4); }
