#include "pair.h"
static NOINLINE int inner(int x) { OPAQUE(x); for (int i = 0; i < 4; ++i) x = x * 5 + i; OPAQUE(x); return x; }
NOINLINE int outer(int x) { return inner(x) + 1000; }
NOINLINE int outerAgain(int x) { return inner(x + 1) + 2000; }
NOINLINE int byPointer(int x) { int (*p)(int) = inner; OPAQUE(p); return p(x); }
