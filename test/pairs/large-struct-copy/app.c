/* Structures large enough that the compiler calls memcpy and memset, which are the application's; the structure grows. */
#include "big.h"
int main(void) {
  struct Big a = make(3), b;
  copy(&b, &a);
  say("%d %d %d %d\n", (int)sizeof(a), b.values[0], b.values[COUNT - 1], byValue(b));
  return 0;
}
