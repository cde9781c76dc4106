#include "pair.h"
NOINLINE int one(int x) { OPAQUE(x); return x + 5; }
NOINLINE int two(int x) { OPAQUE(x); return x + 6; }
NOINLINE int three(int x) { return one(x) * two(x); }
