#include "pair.h"
NOINLINE int hotter(int x) { OPAQUE(x); return x + 1; }
NOINLINE int hot(int x) { return hotter(x) * 3 + hotter(x + 1); }
NOINLINE int cold(int x) { OPAQUE(x); return x - 200; }
NOINLINE int run(int x) { int s = cold(x); for (int i = 0; i < x; ++i) s += hot(i); return s; }
