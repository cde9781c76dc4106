#include "pair.h"
typedef int Function(int);
int callback(int);
NOINLINE int is(Function *f) { return SAME(f, callback); }
NOINLINE Function *take(void) { return callback; }
NOINLINE int call(int x) { return callback(x) * 20; }
