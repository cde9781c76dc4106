#include "pair.h"
NOINLINE int interpret(const char *p) {
  static const void *const table[] = {&&twice, &&square, &&add, &&end};
  int x = 1;
#define NEXT goto *table[*p == '.' ? 3 : *p - 'a']
  NEXT;
add: ++p; x += 3; NEXT;
twice: ++p; x *= 2; NEXT;
square: ++p; x = x * x % 1000; NEXT;
end: return x;
}
