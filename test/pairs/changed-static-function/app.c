/* A static function changes, its callers do not: they must reach the new one, directly and by pointer. */
#include "pair.h"
int outer(int), outerAgain(int), byPointer(int);
int main(void) {
  say("%d %d %d\n", outer(3), outerAgain(3), byPointer(3));
  return 0;
}
