#include "pair.h"
__thread int thing = 33;
NOINLINE int use(void) { return thing++; }
