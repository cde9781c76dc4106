/* Compilers split functions into cold parts in other sections, and clone them for constant arguments (.cold, .constprop). */
#include "pair.h"
int parse(int), many(int), scaled(int);
int main(void) {
  say("%d %d %d %d\n", parse(4), parse(-1), many(3), scaled(2));
  return 0;
}
