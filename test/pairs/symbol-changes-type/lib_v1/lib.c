#include "pair.h"
NOINLINE int thing(void) { return 11; }
NOINLINE int use(void) { return thing(); }
