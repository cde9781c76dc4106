/* This application takes the library's. */
#include "pair.h"
void *allocate(int), *libAllocates(int);
int allocated(void), isAllocator(void *(*)(int));
int main(void) {
  char *p = libAllocates(10), *q = allocate(1);
  say("%d %d %d\n", (int)(q - p), allocated(), isAllocator(allocate));
  return 0;
}
