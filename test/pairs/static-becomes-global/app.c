/* A static function becomes global and a global one static, with different bodies of the same names elsewhere. */
#include "pair.h"
int fromA(int), fromB(int);
int main(void) {
  SHOW(fromA(1));
  SHOW(fromB(1));
  return 0;
}
