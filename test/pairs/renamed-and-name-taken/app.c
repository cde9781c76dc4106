/* A function is renamed with its bytes unchanged, and a new one takes the old name. Objects do the same. */
#include "pair.h"
int name(int), caller(int), callerByPointer(int);
extern int data[2];
__attribute__((weak)) int renamed(int);
int main(void) {
  say("%d %d %d %d %d\n", name(1), caller(1), callerByPointer(1), renamed ? renamed(1) : -1, data[1]);
  return 0;
}
