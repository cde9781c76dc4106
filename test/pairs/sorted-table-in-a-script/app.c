/* A linker script sorts and keeps sections into a table between two symbols, which the program walks. */
#include "pair.h"
int sum(void), first(void);
int main(void) {
  say("%d %d\n", sum(), first());
  return 0;
}
