#include "pair.h"
int tinyCount;
NOINLINE void nothing(void) { tinyCount += 1000; __asm__ volatile(""); }
NOINLINE void nothingToo(void) { __asm__ volatile(""); }
NOINLINE int identity(int x) { __asm__ volatile(""); return x + tinyCount; }
NOINLINE int zero(void) { __asm__ volatile(""); return 7; }
