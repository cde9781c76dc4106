#include "pair.h"
int odd(int);
NOINLINE int factorial(int n) { OPAQUE(n); return n < 2 ? 1 : n * factorial(n - 1); }
NOINLINE int even(int n) { OPAQUE(n); return n == 0 ? 1 : odd(n - 1); }
NOINLINE int odd(int n) { OPAQUE(n); return n == 0 ? 0 : even(n - 1); }
NOINLINE int selfPointer(int n) { int (*p)(int) = selfPointer; OPAQUE(p); return n ? p(n - 1) + 1 : 0; }
