#include "pair.h"
NOINLINE void nothing(void) { __asm__ volatile(""); }
NOINLINE void nothingToo(void) { __asm__ volatile(""); }
NOINLINE int identity(int x) { __asm__ volatile(""); return x; }
NOINLINE int zero(void) { __asm__ volatile(""); return 0; }
