/* A switch keeps its code and its cases trade places in the jump table. */
#include "pair.h"
int dispatch(int, int);
int main(void) {
  for (int i = -1; i < 9; ++i)
    say("%d ", dispatch(i, 10));
  say("\n");
  return 0;
}
