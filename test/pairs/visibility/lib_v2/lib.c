#include "pair.h"
__attribute__((visibility("hidden"))) int hiddenData = 5;
__attribute__((visibility("internal"))) NOINLINE int hidden(int x) { OPAQUE(x); return x + 3; }
__attribute__((visibility("protected"))) NOINLINE int protectedOne(int x) { OPAQUE(x); return x + 4; }
