#include "pair.h"
int hook(int);
extern int level;
NOINLINE int runHook(int x) { return hook(x + 1) + 2; }
NOINLINE int readLevel(void) { return level * 2; }
NOINLINE int (*hookAddress(void))(int) { return hook; }
NOINLINE int each(int (*f)(int)) { return f(1) * f(2) + f(3); }
