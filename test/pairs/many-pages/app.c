/* A library of several pages where functions at page edges change, grow over the edge, and call each other across it. */
#include "pair.h"
int start(int);
extern int (*const all[])(int);
int main(void) {
  int sum = 0;
  for (int i = 0; i < 120; ++i)
    sum = sum * 3 + all[i](i);
  say("%d %d\n", start(1), sum);
  return 0;
}
