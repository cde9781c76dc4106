#include "pair.h"
extern const int thing[4];
const int thing[4] = {10, 20, 30, 40};
int other;
NOINLINE int get(int i) { return thing[i]; }
NOINLINE int *where(void) { return (int *)thing + 1; }
NOINLINE int bumpOther(void) { return ++other; }
