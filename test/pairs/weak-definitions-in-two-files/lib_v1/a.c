#include "pair.h"
__attribute__((weak)) int chosen(void) { return 1; }
__attribute__((weak)) int chosenData = 10;
__attribute__((weak)) int strong(void) { return 100; }
NOINLINE int viaOne(void) { return chosen() + chosenData; }
