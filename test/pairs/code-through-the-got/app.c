/* Calls, jumps, loads and comparisons through GOT entries, which a linker likes to relax by rewriting code. */
#include "pair.h"
int calls(int), jumps(int), loads(void), compares(int *), stores(int), weakly(void);
extern int cell;
int main(void) {
  SHOW(calls(1));
  SHOW(jumps(1));
  SHOW(loads());
  SHOW(compares(&cell));
  SHOW(compares(0));
  SHOW(stores(5));
  SHOW(cell);
  SHOW(weakly());
  return 0;
}
