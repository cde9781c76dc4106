#include "pair.h"
__attribute__((weak)) int optional(int);
__attribute__((weak)) extern int optionalData;
NOINLINE int ask(void) { return optional ? optional(2) : -10; }
NOINLINE int askData(void) { return &optionalData ? optionalData + 1 : -20; }
