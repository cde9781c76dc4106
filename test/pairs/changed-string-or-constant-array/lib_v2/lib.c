#include "pair.h"
const char banner[] = "library two, with a banner that is much longer than before";
static const int table[] = {2, 3, 5, 13, 17};
static const char *const months[] = {"jan", "apr", "mar", "december"};
static const short shorts[] = {9, 8, 7, 16, 15, 14};
const short *const window = &shorts[2];
NOINLINE const char *name(void) { return "same length B"; }
NOINLINE const char *month(int i) { return months[i]; }
NOINLINE int primes(int i) { OPAQUE(i); return table[i]; }
