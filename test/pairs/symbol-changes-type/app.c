/* A name is a function in one version, an object in the next, thread-local in the third. */
#include "pair.h"
int use(void), useTwice(void);
int main(void) {
  SHOW(use());
  SHOW(useTwice());
  return 0;
}
