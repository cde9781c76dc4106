/* Only the target of a relocation changes: a call, a tail call, a loaded address, each with unchanged bytes. */
#include "pair.h"
int calls(int), tails(int);
int (*gives(void))(int);
int main(void) {
  say("%d %d %d\n", calls(1), tails(1), gives()(1));
  return 0;
}
