#include "pair.h"
NOINLINE int answer(void) { return 0x11111111; }
