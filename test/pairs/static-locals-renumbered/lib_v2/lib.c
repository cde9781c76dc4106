#include "pair.h"
NOINLINE int inFront(void) { static int buf[3] = {5000}; static int n; return buf[n++ % 3]++; }
NOINLINE int second(void) { static int buf[3] = {100}; return (buf[0] += 2) + inFront(); }
NOINLINE int first(void) { static int buf[3] = {1}; return buf[0] += 1; }
NOINLINE const char *text(int i) { static const char *const buf[] = {"x", "why", "z"}; return buf[i]; }
NOINLINE int third(void) { static int buf[3]; return buf[0] += 3; }
