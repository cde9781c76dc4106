#include "pair.h"
__attribute__((weak)) int settings[2] = {7, 8};
int *const pointsAtSettings = settings;
NOINLINE int total(int n) { int s = 1000; int *p = settings; OPAQUE(p); while (n--) s += p[n]; return s; }
