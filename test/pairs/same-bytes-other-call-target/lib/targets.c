#include "pair.h"
NOINLINE int left(int x) { return x + 100; }
NOINLINE int right(int x) { return x + 200; }
