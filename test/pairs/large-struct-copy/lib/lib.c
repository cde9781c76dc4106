#include "big.h"
NOINLINE struct Big make(int x) { struct Big b = {{x, x + 1}}; b.values[COUNT - 1] = x * 2; return b; }
NOINLINE void copy(struct Big *to, const struct Big *from) { *to = *from; }
NOINLINE int byValue(struct Big b) { int s = 0; for (int i = 0; i < COUNT; ++i) s += b.values[i]; return s; }
