#include "pair.h"
NOINLINE int real(void) { return 10; }
NOINLINE int other(void) { return 20; }
int alias(void) __attribute__((alias("real")));
NOINLINE __attribute__((weak)) int weakOne(void) { return 30; }
int weakAlias(void) __attribute__((weak, alias("other")));
int callsWeak(void);
