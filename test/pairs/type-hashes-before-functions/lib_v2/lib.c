#include "pair.h"
typedef int Function(int);
NOINLINE int f(int x) { return x + 2; }
NOINLINE int g(int x) { return x * 12; }
Function *table[2] = {f, g};
NOINLINE int call(int i, int x) { return table[i](x); }
NOINLINE Function *take(void) { return f; }
