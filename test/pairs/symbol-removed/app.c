/* A function and an object are gone in the second version and back, different, in the third; weak references see it. */
#include "pair.h"
__attribute__((weak)) extern int gone(void);
__attribute__((weak)) extern int goneData;
int stays(void), libSeesGone(void);
int main(void) {
  say("%d %d %d %d %d\n", stays(), libSeesGone(), gone ? gone() : -1, &goneData ? goneData : -2, stays());
  return 0;
}
