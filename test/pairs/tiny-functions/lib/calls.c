#include "pair.h"
void nothing(void), nothingToo(void);
int identity(int), zero(void);
NOINLINE int callsAll(int x) {
  nothing();
  nothingToo();
  return identity(x) * 10 + zero();
}
