#include "pair.h"
__attribute__((visibility("hidden"))) int hidden(int);
__attribute__((visibility("protected"))) int protectedOne(int);
__attribute__((visibility("hidden"))) extern int hiddenData;
NOINLINE int entry(int x) { return hidden(x) * 100 + protectedOne(x) + hiddenData; }
