#include "pair.h"
int left(int), right(int);
NOINLINE int calls(int x) { return left(x) + 1; }
NOINLINE int tails(int x) { return right(x); }
NOINLINE int (*gives(void))(int) { return left; }
