#include "pair.h"
NOINLINE int one(int x) { OPAQUE(x); return x + 1; }
NOINLINE int two(int x) { OPAQUE(x); return x + 2; }
NOINLINE int callsBoth(int x) { return one(x) * 10 + two(x); }
