/* Hidden, protected and internal symbols, and a section group's: whatever a symbol's visibility, it is a name in a library. */
#include "pair.h"
int entry(int), protectedOne(int);
int main(void) {
  SHOW(entry(1));
  SHOW(protectedOne(1));
  return 0;
}
