#include "pair.h"
__attribute__((weak)) extern int gone(void);
NOINLINE int stays(void) { return 55; }
NOINLINE int libSeesGone(void) { return gone ? gone() + 1 : 0; }
