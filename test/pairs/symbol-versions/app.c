/* One name in two symbol versions is two functions, also where shared code calls both. */
#include "pair.h"
int callOld(int), callNew(int);
int main(void) {
  say("%d %d\n", callOld(1), callNew(1));
  return 0;
}
