#include "many.h"
static NOINLINE int common(int x) { OPAQUE(x); return x + COMMON; }
#define DEFINE(n) \
  NOINLINE int f##n(int x) { \
    for (int i = 0; i < 3; ++i) { \
      OPAQUE(x); \
      x = x * (n + 3) - i; \
      OPAQUE(x); \
      x ^= n * 77; \
    } \
    return common(x % 1000) + n; \
  }
ALL(DEFINE)
static const char *const texts[] = {TEXTS, "two", "three", "four", "five", "six", "seven"};
const char *text(int i) { return texts[i]; }
int state(void) { static int n = COMMON; return n++; }
