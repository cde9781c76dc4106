/* Symbols of size zero, marks between objects, several names for one place, and a function that falls into the next. */
#include "pair.h"
extern const char marks[], markMiddle[], markEnd[];
int falls(int), into(int);
int main(void) {
  say("%d %d %s %d %d\n", (int)(markMiddle - marks), (int)(markEnd - marks), markMiddle, falls(1), into(1));
  return 0;
}
