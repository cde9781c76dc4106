#include "pair.h"
int work(int);
NOINLINE int callsWork(int x) { return work(x) + 1; }
