#include "pair.h"
int ping(int), visible(int);
extern int pairData;
int otherData = 8;
static NOINLINE int helper(int x) { OPAQUE(x); return x + 70; }
NOINLINE int pong(int x) { return x > 0 ? ping(x - 1) + helper(x) : otherData++; }
NOINLINE int otherEntry(int x) { return visible(x) + pairData + helper(x); }
