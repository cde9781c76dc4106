#include "pair.h"
NOINLINE int step(int x) { OPAQUE(x); return x + 1; }
static int count = 10;
NOINLINE int fromA(int x) { return step(x) * 100 + count++; }
