/* Functions that call themselves and each other: composites whose members change one at a time. */
#include "pair.h"
int factorial(int), even(int), odd(int), selfPointer(int);
int main(void) {
  say("%d %d %d %d %d\n", factorial(6), even(10), odd(7), even(7), selfPointer(4));
  return 0;
}
