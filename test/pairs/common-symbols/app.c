/* COMMON symbols of several sizes in library and application are one object of the largest size; nothing overlaps it. */
#include "pair.h"
int tally[4];
int appOnly;
int fill(void), total(void), neighbours(void);
int main(void) {
  tally[3] = 5;
  SHOW(fill());
  SHOW(total());
  SHOW(neighbours());
  SHOW(tally[3]);
  SHOW(appOnly);
  return 0;
}
