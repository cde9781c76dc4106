#include "pair.h"
int use(void);
NOINLINE int useTwice(void) { return use() * 2; }
