/* Pointers to functions in writable memory: set by constructors, by initialisers, changed by the application, reset. */
#include "pair.h"
typedef int Op(int);
extern Op *current, *const initial;
int apply(int), isDefault(void);
void reset(void);
static int mine(int x) { return x * 50; }
int main(void) {
  SHOW(apply(2));
  SHOW(isDefault());
  current = mine;
  SHOW(apply(2));
  SHOW(isDefault());
  reset();
  SHOW(apply(2));
  SHOW(SAME(current, initial));
  return 0;
}
