#include "pair.h"
static NOINLINE int slow(int x) { OPAQUE(x); return x + 1; }
static NOINLINE int fast(int x) { OPAQUE(x); return x + 2; }
static void *resolve(void) { return (void *)fast; }
int compute(int) __attribute__((ifunc("resolve")));
USED static int (*keep)(int) = slow;
