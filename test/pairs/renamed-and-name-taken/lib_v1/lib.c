#include "pair.h"
int data[2] = {7, 8};
NOINLINE int name(int x) { OPAQUE(x); return x * 10 + data[0]; }
