#include "pair.h"
int numbers[6] = {1, 2, 33, 4, 5, 66};
int left = 70, right = 80;
int *points = &right, *inside = &numbers[4];
static int counter = 20;
NOINLINE int next(void) { return counter++; }
NOINLINE int chosen(void) { return numbers[2]; }
