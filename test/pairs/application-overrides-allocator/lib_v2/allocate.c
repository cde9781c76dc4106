#include "pair.h"
static char pool[5000];
static int used = 64;
NOINLINE void *allocate(int n) { n = (n + 15) & ~15; used += n; return pool + used - n; }
NOINLINE int allocated(void) { return used; }
