#include "pair.h"
__thread int shared = 7;
__thread char name[] = "tls one";
static __thread int counter = 40;
static __thread int nothing[4];
static __thread int aligned __attribute__((aligned(32))) = 3;
NOINLINE int bump(void) { return ++counter; }
NOINLINE int hidden(void) { return shared + counter; }
NOINLINE int wide(void) { return aligned + (int)((unsigned long)&aligned & 31); }
NOINLINE int zero(void) { return nothing[0]++ + nothing[3]; }
