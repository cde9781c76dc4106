#include "pair.h"
static int state[SIZE] = {START};
static char scratch[SIZE * 50];
static NOINLINE int helper(int x) { OPAQUE(x); return x * FACTOR + state[SIZE - 1] + state[0]++; }
static NOINLINE int stable(int x) { OPAQUE(x); return x + 7; }
NOINLINE int zero(int x) { return helper(x) + 1; }
NOINLINE int one(int x) { return stable(x) + 1; }
NOINLINE int two(int x) { return EXTRA(x) + 2; }
NOINLINE int three(int x) { int z = zero(x); return z * 3 + one(x); }
int (*const table[4])(int) = {ORDER};
NOINLINE const char *version(void) { return NAME; }
NOINLINE int run(int x) {
  scratch[SIZE * 50 - 1] += x;
  return three(two(x)) + scratch[SIZE * 50 - 1];
}
