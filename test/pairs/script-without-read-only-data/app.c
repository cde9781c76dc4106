/* A linker script that has no .rodata puts strings elsewhere; a frozen link leaves new ones there. */
#include "pair.h"
const char *text(void), *more(void);
int main(void) {
  say("%s %s\n", text(), more());
  return 0;
}
