#include "pair.h"
typedef int Op(int);
static NOINLINE int standard(int x) { OPAQUE(x); return x + STANDARD; }
Op *current = standard, *const initial = standard;
NOINLINE int apply(int x) { return current(x); }
NOINLINE int isDefault(void) { return current == standard; }
NOINLINE void reset(void) { current = initial; }
