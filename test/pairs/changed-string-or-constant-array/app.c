/* Strings, constant arrays and arrays of strings change, in size or only in content. */
#include "pair.h"
const char *name(void), *month(int);
extern const char banner[];
int primes(int);
extern const short *const window;
int main(void) {
  say("%s|%s|%d\n", name(), banner, primes(3));
  for (int i = 0; i < 4; ++i)
    say("%s %d ", month(i), window[i]);
  say("\n");
  return 0;
}
