#include "pair.h"
int thing = 22;
NOINLINE int use(void) { return thing++; }
