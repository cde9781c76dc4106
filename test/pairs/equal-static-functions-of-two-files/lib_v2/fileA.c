#include "pair.h"
typedef int Function(int);
static NOINLINE int callback(int x) { return x + 2; }
NOINLINE Function *getA(void) { return callback; }
NOINLINE int isA(Function *f) { return SAME(f, callback); }
