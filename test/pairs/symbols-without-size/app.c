/* Hand-written assembler with neither sizes nor types, code and data in plain .text and .data. */
#include "pair.h"
int bare(int), bareCaller(int);
extern int bareData[], bareTable[];
int main(void) {
  int (*p)(int) = bare;
  OPAQUE(p);
  say("%d %d %d %d %d\n", bare(1), bareCaller(1), p(2), bareData[1], bareTable[0]);
  return 0;
}
