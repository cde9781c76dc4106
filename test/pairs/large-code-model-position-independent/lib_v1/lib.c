#include "pair.h"
typedef int Function(int);
static NOINLINE int f(int x) { return x + 1; }
static NOINLINE int g(int x) { return x * 2; }
Function *table[2] = {f, g};
NOINLINE int is(int i) { return SAME(table[i], f); }
NOINLINE Function *take(void) { return f; }
NOINLINE int work(int x) { return table[0](x) * 100 + table[1](x); }
