#include "pair.h"
__attribute__((weak)) int chosen(void) { return 2; }
__attribute__((weak)) int chosenData = 20;
int strong(void) { return 200; }
NOINLINE int viaTwo(void) { return chosen() + chosenData; }
