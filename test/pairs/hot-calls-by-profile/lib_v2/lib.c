#include "pair.h"
NOINLINE int hotter(int x) { OPAQUE(x); x *= 7; OPAQUE(x); return x + 10; }
NOINLINE int hot(int x) { return hotter(x) * 2; }
NOINLINE int cold(int x) { OPAQUE(x); return x - 100; }
NOINLINE int run(int x) { int s = cold(x); for (int i = 0; i < x; ++i) s += hot(i); return s; }
