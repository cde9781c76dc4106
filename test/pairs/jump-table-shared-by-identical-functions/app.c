/* Three functions of equal bytes with jump tables of equal shape; one table changes, and only that function may. */
#include "pair.h"
int one(int), two(int), three(int);
int main(void) {
  for (int i = 0; i < 8; ++i)
    say("%d %d %d\n", one(i), two(i), three(i));
  return 0;
}
