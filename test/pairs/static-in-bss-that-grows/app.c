/* A static array in .bss outgrows its place; nothing near it may be overwritten, and all of it must be there, zeroed. */
#include "pair.h"
int fill(int), sum(void), neighbours(void), zeroes(void);
int main(void) {
  SHOW(zeroes());
  SHOW(neighbours());
  SHOW(fill(1));
  SHOW(sum());
  SHOW(neighbours());
  return 0;
}
