#include "pair.h"
static NOINLINE int inner(int x) { OPAQUE(x); return x * 3 + 1; }
NOINLINE int outer(int x) { return inner(x) + 1000; }
NOINLINE int outerAgain(int x) { return inner(x + 1) + 2000; }
NOINLINE int byPointer(int x) { int (*p)(int) = inner; OPAQUE(p); return p(x); }
