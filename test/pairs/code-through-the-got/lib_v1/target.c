#include "pair.h"
int cell = 3;
NOINLINE int target(int x) { OPAQUE(x); return x + 1; }
