#include "pair.h"
typedef int Op(int);
NOINLINE int direct(int x) { OPAQUE(x); return x + 1; }
NOINLINE int taken(int x) { OPAQUE(x); x *= 20; OPAQUE(x); return x + 2; }
static NOINLINE int inner(int x) { OPAQUE(x); return x + 30; }
Op *const table[] = {inner, taken};
NOINLINE Op *get(int i) { return table[i]; }
NOINLINE int viaStatic(int x) { return inner(x) + direct(x); }
