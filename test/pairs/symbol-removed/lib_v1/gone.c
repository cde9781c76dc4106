#include "pair.h"
int goneData = 12;
NOINLINE int gone(void) { return goneData + 1; }
