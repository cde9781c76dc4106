/* Two files have static functions and variables of the same names; in the second version they trade bodies. */
#include "pair.h"
int fromA(int), fromB(int);
int main(void) {
  SHOW(fromA(1));
  SHOW(fromB(1));
  SHOW(fromA(2));
  SHOW(fromB(2));
  return 0;
}
