/* Two files have the same static function and give out its address, which position-independent code computes itself: two
   addresses, whether or not the bodies are equal. */
#include "pair.h"
typedef int Function(int);
Function *getA(void), *getB(void);
int isA(Function *), isB(Function *);
int main(void) {
  Function *a = getA(), *b = getB();
  say("%d %d %d ", SAME(a, b), a(1), b(1));
  say("%d %d %d %d\n", isA(a), isA(b), isB(a), isB(b));
  return 0;
}
