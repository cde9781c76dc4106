/* Calls in tail position are jumps: chains, through a pointer, conditional ones to another function, and to a static. */
#include "pair.h"
int chain(int), pick(int, int), through(int (*)(int), int);
int main(void) {
  say("%d %d %d %d\n", chain(1), pick(0, 5), pick(1, 5), through(chain, 2));
  return 0;
}
