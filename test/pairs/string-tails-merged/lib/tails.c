#include "pair.h"
NOINLINE const char *tail(int i) { return i == 0 ? "ending" : i == 1 ? "and ending" : "ng"; }
