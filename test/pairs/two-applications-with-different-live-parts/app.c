/* Two applications use different functions of many; shared pages keep what either needs, and neither sees the other. */
#include "many.h"
int main(void) {
  say("%d %d %d\n", f3(1), f40(2), text(7)[0]);
  SHOW(state());
  return 0;
}
