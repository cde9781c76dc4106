#include "pair.h"
__attribute__((visibility("hidden"))) int hiddenData = 1;
__attribute__((visibility("hidden"))) NOINLINE int hidden(int x) { OPAQUE(x); return x + 1; }
__attribute__((visibility("protected"))) NOINLINE int protectedOne(int x) { OPAQUE(x); return x + 2; }
