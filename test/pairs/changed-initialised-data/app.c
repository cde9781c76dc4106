/* Initialised data changes: numbers, a pointer to other data, a pointer into an array, a static variable. */
#include "pair.h"
extern int numbers[6], *points, *inside;
int next(void), chosen(void);
int main(void) {
  for (int i = 0; i < 6; ++i)
    SHOW(numbers[i]);
  say("%d %d %d ", *points, *inside, (int)(inside - numbers));
  SHOW(next());
  SHOW(next());
  SHOW(chosen());
  numbers[2] = 5000;
  SHOW(chosen());
  return 0;
}
