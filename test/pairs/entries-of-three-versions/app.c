/* Three functions on one page change in different versions, and the versions come in any order: whatever jumps the entries
   hold, each version runs its own. */
#include "pair.h"
int use(int);
extern volatile int state;
int main(void) {
  SHOW(use(1));
  SHOW(state);
  return 0;
}
