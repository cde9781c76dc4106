/* The same library where the application overrides the weak functions. */
#include "pair.h"
int real(void), alias(void), weakOne(void), weakAlias(void), callsWeak(void);
int weakOne(void) { return 9001; }
int weakAlias(void) { return 9002; }
int main(void) {
  int (*p)(void) = weakOne;
  OPAQUE(p);
  say("%d %d %d %d %d %d\n", real(), alias(), p(), weakAlias(), callsWeak(), SAME(real, alias));
  return 0;
}
