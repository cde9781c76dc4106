/* Tables in code and in data hold the distances to functions and into them, from the table or from the entry itself. */
#include "pair.h"
int byData(int), byCode(int);
int main(void) {
  say("%d %d %d\n", byData(0), byData(1), byCode(5));
  return 0;
}
