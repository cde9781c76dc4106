#include "pair.h"
int data[3] = {1, 2, 3};
static NOINLINE int helper(int x) { OPAQUE(x); return x + data[1]; }
NOINLINE int work(int x) { return helper(x) * 2; }
NOINLINE const char *name(void) { return "one"; }
