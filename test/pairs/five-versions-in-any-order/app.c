/* Five versions on one atlas in any order: grown, reverted, a table, a string, statics, all at once. */
#include "pair.h"
int run(int);
const char *version(void);
extern int (*const table[4])(int);
int main(void) {
  say("%s: ", version());
  SHOW(run(3));
  for (int i = 0; i < 4; ++i)
    SHOW(table[i](i));
  SHOW(run(4));
  return 0;
}
