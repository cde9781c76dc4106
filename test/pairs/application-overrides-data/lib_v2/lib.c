#include "pair.h"
__attribute__((weak)) int settings[2] = {7, 8};
int *const pointsAtSettings = settings;
NOINLINE int total(int n) { int s = 1000; while (n--) s += settings[n]; return s; }
