/* With --icf=all, functions of equal bytes in library and application may be one; what they return may not change. */
#include "pair.h"
int one(int), two(int), three(int);
static NOINLINE int mine(int x) { OPAQUE(x); return x + 5; }
int main(void) {
  say("%d %d %d %d\n", one(1), two(1), three(1), mine(1));
  return 0;
}
