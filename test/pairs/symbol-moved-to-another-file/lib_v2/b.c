#include "pair.h"
static int state = 100;
static NOINLINE int helper(int x) { OPAQUE(x); return x + 20 + state++; }
NOINLINE int stays(int x) { return helper(x); }
int movesData = 5;
NOINLINE int moves(int x) { return helper(x) + movesData; }
