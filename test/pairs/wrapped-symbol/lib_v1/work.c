#include "pair.h"
NOINLINE int work(int x) { OPAQUE(x); return x + 1; }
