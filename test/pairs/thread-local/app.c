/* Thread-local variables: initial values, order, growth, static ones, the application's own beside the library's. */
#include "pair.h"
extern __thread int shared;
extern __thread char name[];
int bump(void), hidden(void), wide(void), zero(void);
__thread int mine = 31;
__thread long mineZero;
int main(void) {
  say("%d %s %d %ld\n", shared, name, mine, mineZero);
  shared = 500;
  mineZero = 9;
  SHOW(bump());
  SHOW(bump());
  SHOW(hidden());
  SHOW(wide());
  SHOW(zero());
  SHOW(zero());
  say("%d %d %ld\n", shared, mine, mineZero);
  return 0;
}
