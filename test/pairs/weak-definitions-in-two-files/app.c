/* Two files of a library define one weak function and one weak object; which of them wins depends on their order. */
#include "pair.h"
int chosen(void), viaOne(void), viaTwo(void), strong(void);
extern int chosenData;
int main(void) {
  say("%d %d %d %d %d\n", chosen(), viaOne(), viaTwo(), chosenData, strong());
  return 0;
}
