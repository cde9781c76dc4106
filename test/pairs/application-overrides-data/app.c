/* The application defines an object that is weak in the library, larger than there and in another section. */
#include "pair.h"
int settings[50] = {[0] = 1, [1] = 20, [49] = 300};
extern int *const pointsAtSettings;
int total(int), name(void);
int main(void) {
  say("%d %d %d\n", total(50), *pointsAtSettings, SAME(pointsAtSettings, settings));
  return 0;
}
