#include "pair.h"
NOINLINE int red(int x) { OPAQUE(x); return x + 6; }
NOINLINE int green(int x) { OPAQUE(x); return x + 5; }
NOINLINE int blue(int x) { OPAQUE(x); return x + 6; }
const int redData[2] = {4, 2}, greenData[2] = {4, 3};
char redBuffer[8], greenBuffer[8];
NOINLINE int callsAll(int x) { return red(x) * 100 + green(x) * 10 + blue(x); }
