/* Labels as values: a table of addresses inside a function, in its own order in each version. */
#include "pair.h"
int interpret(const char *);
int main(void) {
  say("%d %d\n", interpret("abcabc."), interpret("ccba."));
  return 0;
}
