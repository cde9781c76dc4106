#include "pair.h"
double average(int, ...);
NOINLINE int viaPointer(void) { double (*p)(int, ...) = average; OPAQUE(p); return (int)(p(2, 10., 30.) * 100); }
