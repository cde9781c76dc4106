#include "pair.h"
static int state = 3;
static char scratch[300];
const char *const names[] = {"first", "second"};
static NOINLINE int helper(int x) { scratch[x & 255]++; return x * state; }
NOINLINE int work(int x) { return helper(x) + helper(x + 1) + scratch[5]; }
