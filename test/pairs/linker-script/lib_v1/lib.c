#include "pair.h"
static int counter = 5, zeroes[100];
static __thread int perThread = 4;
NOINLINE const char *name(void) { return "one"; }
NOINLINE int work(int x) { zeroes[x]++; return x + counter++ + zeroes[1] + perThread; }
