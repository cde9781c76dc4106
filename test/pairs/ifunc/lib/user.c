#include "pair.h"
int compute(int);
int (*const pointer)(int) = compute;
NOINLINE int libCompute(int x) { return compute(x) + 1000; }
NOINLINE int (*take(void))(int) { return compute; }
