#include "pair.h"
void *allocate(int);
NOINLINE int isAllocator(void *(*p)(int)) { return p == allocate; }
