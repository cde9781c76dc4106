/* Another application with much larger thread-local data of its own. */
#include "pair.h"
int bump(void), hidden(void), wide(void), zero(void);
__thread int table[500] = {[0] = 1, [499] = 2};
__thread char big[3000] __attribute__((aligned(64)));
static void library(void) {
  SHOW(bump());
  SHOW(hidden());
  SHOW(wide());
  SHOW(zero());
}
int main(void) {
  memset(big, 1, sizeof(big));
  library();
  SHOW(table[0] + table[499]);
  memset(table, 0, sizeof(table));
  library();
  SHOW(big[2999]);
  SHOW((unsigned long)&big & 63);
  return 0;
}
