#include "pair.h"
static int state = 1;
static NOINLINE int helper(int x) { OPAQUE(x); return x + 10 + state++; }
NOINLINE int also(int x) { return helper(x) * 2; }
