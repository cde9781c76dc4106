/* One application links the library as it is. */
#include "pair.h"
int callsWork(int);
int main(void) {
  SHOW(callsWork(3));
  return 0;
}
