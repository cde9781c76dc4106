#include "pair.h"
static int state = 1000;
static NOINLINE int helper(int x) { OPAQUE(x); return x * 2 + state++; }
NOINLINE int fromB(int x) { return helper(x) + 1; }
