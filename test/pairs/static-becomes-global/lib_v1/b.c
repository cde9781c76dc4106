#include "pair.h"
NOINLINE int step(int x) { OPAQUE(x); return x + 2; }
static int count = 20;
NOINLINE int fromB(int x) { return step(x) + count++; }
