#include "pair.h"
NOINLINE int real(void) { return 11; }
NOINLINE int other(void) { return 21; }
int alias(void) __attribute__((alias("other")));
NOINLINE __attribute__((weak)) int weakOne(void) { return 31; }
int weakAlias(void) __attribute__((weak, alias("real")));
