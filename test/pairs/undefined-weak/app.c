/* The library asks for a weak function and a weak object that nobody defines here: null, in this image. */
#include "pair.h"
int ask(void), askData(void);
int main(void) {
  say("%d %d\n", ask(), askData());
  return 0;
}
