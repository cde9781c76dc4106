/* Inline functions and templates exist in library and application; one copy wins, and has one address and one static. */
#include "inline.h"
int libCount(), libTwice(int);
Count *libCountAddress();
Twice *libTwiceAddress();
int main() {
  int (*mine)(int) = &twice<int>;
  SHOW(count());
  SHOW(libCount());
  SHOW(count());
  say("%d %d %d %d\n", libTwice(4), mine(4), SAME(libCountAddress(), &count), SAME(libTwiceAddress(), mine));
  say("%s %d\n", Named<int>::text, Named<int>::value);
  return 0;
}
