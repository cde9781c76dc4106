#include "pair.h"
static int counter = 50, zeroes[10000];
static __thread int perThread = 40;
NOINLINE const char *name(void) { return "number two"; }
NOINLINE int work(int x) { zeroes[x]++; return x + counter++ + zeroes[1] + perThread; }
