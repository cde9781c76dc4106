/* With -fno-semantic-interposition, clang takes an application's function by a local alias: it is the one that the library
   takes by its name. */
#include "pair.h"
typedef int Function(int);
int is(Function *), call(int);
Function *take(void);
NOINLINE int callback(int x) {
  OPAQUE(x);
  return x + 1;
}
int main(void) {
  say("%d %d %d %d\n", is(callback), SAME(take(), callback), call(1), callback(1));
  return 0;
}
