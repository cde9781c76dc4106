/* Two libraries call each other and share names of static functions; only one of them changes. */
#include "pair.h"
int ping(int), otherEntry(int);
extern int pairData, otherData;
int main(void) {
  SHOW(ping(4));
  SHOW(otherEntry(5));
  SHOW(pairData);
  SHOW(otherData);
  return 0;
}
