/* Only the function is. */
#include "pair.h"
int ask(void), askData(void);
int optional(int x) { return x + 800; }
int main(void) {
  say("%d %d\n", ask(), askData());
  return 0;
}
