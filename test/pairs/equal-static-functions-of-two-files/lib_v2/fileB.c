#include "pair.h"
typedef int Function(int);
static NOINLINE int callback(int x) { return x + 2; }
NOINLINE Function *getB(void) { return callback; }
NOINLINE int isB(Function *f) { return SAME(f, callback); }
