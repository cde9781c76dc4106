/* Patchable entries: no-ops before and after the symbol, and a section of pointers to them linked to the function's. */
#include "pair.h"
int one(int), two(int), callsBoth(int);
int main(void) {
  say("%d %d %d\n", one(1), two(1), callsBoth(1));
  return 0;
}
