#include "pair.h"
int before, tally[COUNT], after;
double alignedCommon __attribute__((aligned(64)));
NOINLINE int fill(void) { for (int i = 0; i < COUNT; ++i) tally[i] = i; return COUNT; }
NOINLINE int total(void) { int sum = 0; for (int i = 0; i < COUNT; ++i) sum += tally[i]; return sum; }
NOINLINE int neighbours(void) { return before + after + (int)alignedCommon + (int)((unsigned long)&alignedCommon & 63); }
