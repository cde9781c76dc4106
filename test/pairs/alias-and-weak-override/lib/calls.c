#include "pair.h"
int weakOne(void), weakAlias(void), real(void), alias(void);
NOINLINE int callsWeak(void) { return weakOne() * 10000 + weakAlias() + alias() - real(); }
