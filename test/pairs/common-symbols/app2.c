/* Here the application's is larger than the library's. */
#include "pair.h"
int tally[3000];
int fill(void), total(void), neighbours(void);
int main(void) {
  memset(tally, 1, sizeof(tally));
  SHOW(fill());
  SHOW(total());
  SHOW(neighbours());
  SHOW(tally[2999]);
  return 0;
}
