/* Aliases, and weak functions that this application leaves alone: every name reaches what this version says. */
#include "pair.h"
int real(void), alias(void), weakOne(void), weakAlias(void), callsWeak(void);
int main(void) {
  say("%d %d %d %d %d %d\n", real(), alias(), weakOne(), weakAlias(), callsWeak(), SAME(real, alias));
  return 0;
}
