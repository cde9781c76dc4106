/* Another application with these at other addresses, behind a large array. */
#include "pair.h"
int padding[3000] = {1};
int hook(int), runHook(int), level = 4, readLevel(void), each(int (*)(int));
int (*hookAddress(void))(int);
int hook(int x) { return x + padding[0]; }
int main(void) {
  say("%d %d %d %d\n", runHook(5), readLevel(), SAME(hookAddress(), hook), each(hook));
  return 0;
}
