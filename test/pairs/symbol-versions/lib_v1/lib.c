#include "pair.h"
USED int fooOld(int x) { return x + 11; }
USED int fooNew(int x) { return x + 12; }
__asm__(".symver fooOld,foo@V1");
__asm__(".symver fooNew,foo@@@V2");
