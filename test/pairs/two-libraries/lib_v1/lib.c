#include "pair.h"
int pong(int);
int pairData = 1;
static NOINLINE int helper(int x) { OPAQUE(x); return x + 30; }
NOINLINE int visible(int x) { return helper(x); }
NOINLINE int ping(int x) { return x > 0 ? pong(x - 1) + helper(x) : pairData++; }
