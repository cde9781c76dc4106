#include "pair.h"
int dataRenamed[2] = {7, 8};
int data[2] = {17, 18};
NOINLINE int renamed(int x) { OPAQUE(x); return x * 10 + dataRenamed[0]; }
NOINLINE int name(int x) { OPAQUE(x); return x * 10 - data[0]; }
