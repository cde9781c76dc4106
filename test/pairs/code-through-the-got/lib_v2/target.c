#include "pair.h"
static int padding[100] = {1};
int cell = 30;
NOINLINE int target(int x) { OPAQUE(x); return x + padding[x] + 100; }
