/* With -fsanitize=kcfi a caller reads the hash of the type in front of the function it points to, or traps. */
#include "pair.h"
typedef int Function(int);
extern Function *table[2];
Function *take(void);
int call(int, int);
int main(void) {
  int one = 1;
  OPAQUE(one);
  say("%d %d %d %d\n", call(0, 1), call(1, 1), table[one](2), take()(3));
  return 0;
}
