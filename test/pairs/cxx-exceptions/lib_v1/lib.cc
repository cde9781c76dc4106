#include "pair.h"
struct Trace { int *p; ~Trace() { *p += 100; } };
NOINLINE int thrower(int x) { if (x > 1) throw x * 10; return x; }
static NOINLINE int middle(int x, int *p) { Trace t{p}; return thrower(x) + 1; }
NOINLINE int safe(int x) { int n = 0; try { return middle(x, &n); } catch (int y) { return y + n; } }
