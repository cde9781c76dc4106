/* An assembler section with several functions, aliases and a local label that others fall into; one body changes. */
#include "pair.h"
int entryA(int), entryB(int), entryC(int), sameAsB(int), callsLocal(int);
int main(void) {
  say("%d %d %d %d %d\n", entryA(1), entryB(1), entryC(1), sameAsB(1), callsLocal(1));
  say("%d %d\n", SAME(entryB, sameAsB), SAME(entryA, entryB));
  return 0;
}
