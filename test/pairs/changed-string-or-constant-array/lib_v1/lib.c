#include "pair.h"
const char banner[] = "library one";
static const int table[] = {2, 3, 5, 7, 11};
static const char *const months[] = {"jan", "feb", "mar", "apr"};
static const short shorts[] = {9, 8, 7, 6, 5, 4};
const short *const window = &shorts[1];
NOINLINE const char *name(void) { return "same length A"; }
NOINLINE const char *month(int i) { return months[i]; }
NOINLINE int primes(int i) { OPAQUE(i); return table[i]; }
