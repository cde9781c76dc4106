/* setjmp and longjmp in a library: the return address lies in another function's frame, and callees are reached twice. */
#include "pair.h"
int protectedCall(int), depth(void);
int main(void) {
  SHOW(protectedCall(0));
  SHOW(protectedCall(1));
  SHOW(depth());
  return 0;
}
