/* Functions shorter than a jump, and empty ones, change: no jump over an old entry may reach into a neighbour. */
#include "pair.h"
void nothing(void), nothingToo(void);
int identity(int), zero(void), callsAll(int);
int main(void) {
  nothing();
  nothingToo();
  SHOW(identity(5));
  SHOW(zero());
  SHOW(callsAll(2));
  SHOW(SAME(nothing, nothingToo));
  return 0;
}
