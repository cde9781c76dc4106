#include "pair.h"
int target(int);
extern int cell;
__attribute__((weak)) extern int absent;
NOINLINE int calls(int x) { return target(x) + 1; }
NOINLINE int jumps(int x) { return target(x); }
NOINLINE int loads(void) { return cell; }
NOINLINE int compares(int *p) { return p == &cell; }
NOINLINE int stores(int x) { return cell = x; }
NOINLINE int weakly(void) { return &absent ? absent : -1; }
