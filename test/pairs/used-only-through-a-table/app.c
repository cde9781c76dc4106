/* Functions and strings that only a table mentions, in structures, found by name; entries move and one is replaced. */
#include "pair.h"
int lookup(const char *, int);
int main(void) {
  say("%d %d %d %d\n", lookup("add", 5), lookup("mul", 5), lookup("neg", 5), lookup("none", 5));
  return 0;
}
