#include "pair.h"
NOINLINE int first(void) { static int buf[3] = {1}; return buf[0] += 1; }
NOINLINE int second(void) { static int buf[3] = {100}; return buf[0] += 2; }
NOINLINE int third(void) { static int buf[3]; return buf[0] += 3; }
NOINLINE const char *text(int i) { static const char *const buf[] = {"x", "y", "z"}; return buf[i]; }
