/* Two files each have a writable counter that no symbol names and that starts the same: two objects stay two. */
#include "pair.h"
int countA(void), countB(void);
int main(void) {
  SHOW(countA());
  SHOW(countB());
  SHOW(countA());
  SHOW(countB());
  return 0;
}
