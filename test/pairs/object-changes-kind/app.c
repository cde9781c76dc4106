/* An object of one name is data, then constant, then zero: it moves between kinds, and its users with it. */
#include "pair.h"
int get(int), *where(void), bumpOther(void);
int main(void) {
  say("%d %d %d %d\n", get(0), get(3), *where(), bumpOther());
  return 0;
}
