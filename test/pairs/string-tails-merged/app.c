/* With -O2 the linker lets a string be the tail of a longer one; the longer one changes. Wide strings beside. */
#include "pair.h"
const char *tail(int), *whole(void);
const unsigned *wide(void);
const unsigned short *narrow(void);
int main(void) {
  say("%s %s %s %s\n", tail(0), tail(1), tail(2), whole());
  say("%s %s\n", "ending", "prefix and ending");
  for (int i = 0; i < 4; ++i)
    say("%c%c", (char)wide()[i], (char)narrow()[i]);
  say("\n");
  return 0;
}
