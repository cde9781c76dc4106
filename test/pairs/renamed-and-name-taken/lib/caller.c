#include "pair.h"
int name(int);
NOINLINE int caller(int x) { return name(x) + 1; }
NOINLINE int callerByPointer(int x) { int (*p)(int) = name; OPAQUE(p); return p(x) + 2; }
