#include "pair.h"
int thing[4], other = 90;
NOINLINE int get(int i) { return thing[i] + 7; }
NOINLINE int *where(void) { return thing + 1; }
NOINLINE int bumpOther(void) { return ++other; }
