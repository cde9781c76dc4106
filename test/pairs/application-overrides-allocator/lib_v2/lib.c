#include "pair.h"
void *allocate(int);
NOINLINE void *libAllocates(int n) { return allocate(n * 3); }
