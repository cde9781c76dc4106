#include "pair.h"
static NOINLINE int step(int x) { OPAQUE(x); return x + 2; }
int count = 20;
NOINLINE int fromB(int x) { return step(x) * 100 + count++; }
