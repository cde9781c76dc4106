#include "pair.h"
int goneData = 1200;
NOINLINE int gone(void) { return goneData * 2; }
