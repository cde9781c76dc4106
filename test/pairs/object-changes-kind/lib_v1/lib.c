#include "pair.h"
int thing[4] = {1, 2, 3, 4}, other = 9;
NOINLINE int get(int i) { return thing[i]; }
NOINLINE int *where(void) { return thing + 1; }
NOINLINE int bumpOther(void) { return ++other; }
