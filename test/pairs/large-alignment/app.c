/* An object aligned to 64 KiB and a function aligned to a page keep their alignment wherever they go. */
#include "pair.h"
extern char wide[100];
extern const int constWide[4];
int aligned(int), check(void), grown(void);
int main(void) {
  say("%d %d %d %d %d\n", (int)((unsigned long)wide & 0xffff), (int)((unsigned long)constWide & 0x1fff), aligned(1),
      check(), grown());
  say("%d %d\n", wide[1], constWide[1]);
  return 0;
}
