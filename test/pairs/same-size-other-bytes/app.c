/* A function whose size stays and whose bytes change is a new function; its neighbours are not. */
#include "pair.h"
int answer(void), before(int), after(int);
int main(void) {
  say("%d %d %d\n", before(1), answer(), after(1));
  return 0;
}
