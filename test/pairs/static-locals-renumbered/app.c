/* Static locals named buf in several functions get numbers from the compiler; a new function in front shifts them all. */
#include "pair.h"
int first(void), second(void), third(void);
const char *text(int);
int main(void) {
  for (int i = 0; i < 3; ++i) {
    SHOW(first());
    SHOW(second());
    SHOW(third());
    say("%s\n", text(i));
  }
  return 0;
}
