/* Sections that are not shared have local labels of equal names, one of them also a global's: each caller finds its own. */
#include "pair.h"
int callA(void), callB(void), callC(void), getA(void), getB(void), getC(void);
int main(void) {
  say("%d %d %d ", callA(), callB(), callC());
  for (int i = 0; i < 2; ++i) {
    SHOW(getA());
    SHOW(getB());
    SHOW(getC());
  }
  return 0;
}
