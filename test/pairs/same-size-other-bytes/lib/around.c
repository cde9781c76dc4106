#include "pair.h"
int answer(void);
NOINLINE int before(int x) { return answer() + x; }
NOINLINE int after(int x) { return answer() - x; }
