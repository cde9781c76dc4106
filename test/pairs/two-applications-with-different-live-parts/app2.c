/* The other one, with functions before, between and after. */
#include "many.h"
int main(void) {
  say("%d %d %d %s\n", f0(1), f39(2), f63(3), text(0));
  SHOW(state());
  SHOW(state());
  return 0;
}
