/* The library calls functions and reads data that only the application defines, directly, by address, and as callbacks. */
#include "pair.h"
int hook(int), runHook(int), level = 3, readLevel(void), each(int (*)(int));
int (*hookAddress(void))(int);
int hook(int x) { return x * 1000; }
static int callback(int x) { return x + level; }
int main(void) {
  say("%d %d %d %d\n", runHook(5), readLevel(), SAME(hookAddress(), hook), each(callback));
  level = 50;
  say("%d %d\n", readLevel(), each(hook));
  return 0;
}
