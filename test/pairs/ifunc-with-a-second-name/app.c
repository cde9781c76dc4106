/* An indirect function has a second name, which is the smaller one: calls and pointers by either mean what it chooses. */
#include "pair.h"
typedef int Function(int);
int zoom(int), libCall(int), libIs(Function *);
Function *libTake(void), *libTakeAgain(void);
int main(void) {
  Function *f = libTake(), *g = libTakeAgain();
  say("%d %d %d %d ", f(1), g(2), libCall(3), zoom(4));
  say("%d %d %d\n", libIs(f), libIs(zoom), SAME(f, zoom));
  return 0;
}
