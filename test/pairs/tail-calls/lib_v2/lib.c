#include "pair.h"
static NOINLINE int last(int x) { OPAQUE(x); return x + 300; }
static NOINLINE int middle(int x) { OPAQUE(x); return last(x * 2); }
NOINLINE int chain(int x) { return middle(x + 1); }
NOINLINE int pick(int c, int x) { if (c) return middle(x); return last(x); }
NOINLINE int through(int (*p)(int), int x) { return p(x); }
