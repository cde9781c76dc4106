#include "pair.h"
char order[64];
NOINLINE void note(char c) { order[strlen(order)] = c; }
