#include "pair.h"
__attribute__((weak)) int optional(int);
__attribute__((weak)) extern int optionalData;
NOINLINE int ask(void) { return optional ? optional(1) : -1; }
NOINLINE int askData(void) { return &optionalData ? optionalData : -2; }
