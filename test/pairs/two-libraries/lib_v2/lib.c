#include "pair.h"
int pong(int);
int pairData = 100;
static NOINLINE int helper(int x) { OPAQUE(x); x *= 3; OPAQUE(x); return x + 40; }
NOINLINE int visible(int x) { return helper(x) + 1; }
NOINLINE int ping(int x) { return x > 0 ? pong(x - 1) - helper(x) : pairData++; }
