#include "pair.h"
static int state = 1;
static NOINLINE int helper(int x) { OPAQUE(x); return x + 10 + state++; }
int movesData = 5;
NOINLINE int moves(int x) { return helper(x) + movesData; }
NOINLINE int also(int x) { return helper(x) * 2; }
