/* Debug sections refer to shared code, also to dropped functions; the build id covers the bytes that are really written. */
#include "pair.h"
int used(int);
int main(void) {
  SHOW(used(2));
  return 0;
}
