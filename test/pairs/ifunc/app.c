/* An indirect function: its resolver's choice changes; calls, pointers and comparisons agree. */
#include "pair.h"
int compute(int), libCompute(int);
extern int (*const pointer)(int);
int (*take(void))(int);
int main(void) {
  say("%d %d %d %d %d\n", compute(2), libCompute(2), pointer(2), SAME(pointer, compute), SAME(take(), compute));
  return 0;
}
