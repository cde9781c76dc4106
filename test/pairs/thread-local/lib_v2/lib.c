#include "pair.h"
static __thread long inFront[5] = {1, 2, 3, 4, 5};
__thread int shared = 8;
__thread char name[] = "tls two, longer than the first";
static __thread int counter = 60;
static __thread int nothing[400];
static __thread int aligned __attribute__((aligned(64))) = 4;
NOINLINE int bump(void) { return ++counter; }
NOINLINE int hidden(void) { return shared + counter + (int)inFront[counter % 5]; }
NOINLINE int wide(void) { return aligned + (int)((unsigned long)&aligned & 63); }
NOINLINE int zero(void) { return nothing[0]++ + nothing[399]; }
