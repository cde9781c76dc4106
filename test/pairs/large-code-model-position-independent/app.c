/* The large code model of position-independent code reaches functions by their distance from the GOT: one address each. */
#include "pair.h"
typedef int Function(int);
extern Function *table[2];
Function *take(void);
int is(int), work(int);
int main(void) {
  int zero = 0;
  OPAQUE(zero);
  say("%d %d %d %d\n", is(0), is(1), SAME(take(), table[zero]), work(3));
  return 0;
}
