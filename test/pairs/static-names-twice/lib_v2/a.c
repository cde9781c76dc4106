#include "pair.h"
static int state = 2000;
static NOINLINE int helper(int x) { OPAQUE(x); return x * 7 - state++; }
NOINLINE int fromA(int x) { return helper(x) + 1; }
