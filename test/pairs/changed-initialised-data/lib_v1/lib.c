#include "pair.h"
int numbers[6] = {1, 2, 3, 4, 5, 6};
int left = 70, right = 80;
int *points = &left, *inside = &numbers[1];
static int counter = 10;
NOINLINE int next(void) { return counter++; }
NOINLINE int chosen(void) { return numbers[2]; }
