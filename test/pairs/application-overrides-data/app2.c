/* This one leaves it to the library. */
#include "pair.h"
extern int settings[];
extern int *const pointsAtSettings;
int total(int);
int main(void) {
  say("%d %d %d\n", total(2), *pointsAtSettings, SAME(pointsAtSettings, settings));
  return 0;
}
