/* A call graph profile makes some functions hot, so that they get entries of their own; then just those change. */
#include "pair.h"
int run(int), hot(int), cold(int);
int main(void) {
  int (*p)(int) = hot;
  OPAQUE(p);
  say("%d %d %d %d\n", run(3), hot(1), cold(1), p(2));
  return 0;
}
