#include "pair.h"
static NOINLINE int step(int x) { OPAQUE(x); return x + 1; }
int count = 10;
NOINLINE int fromA(int x) { return step(x) + count++; }
