/* References before, inside and past the end of objects, through section symbols too: the addend belongs to its object. */
#include "pair.h"
extern int *const ends[4];
int biased(int), field(void), sumStatic(void), distance(void);
int main(void) {
  SHOW(ends[0][0]);
  SHOW(ends[1][-1]);
  SHOW(ends[2][10]);
  SHOW(ends[3][0]);
  SHOW(biased(101));
  SHOW(field());
  SHOW(sumStatic());
  SHOW(distance());
  return 0;
}
