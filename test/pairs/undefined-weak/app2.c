/* Both are defined here. */
#include "pair.h"
int ask(void), askData(void);
int optionalData = 77;
int optional(int x) { return x + 600; }
int main(void) {
  say("%d %d\n", ask(), askData());
  return 0;
}
