/* The application defines the allocator, so the archive's member is never taken; library code must use the application's. */
#include "pair.h"
void *allocate(int), *libAllocates(int);
int allocated(void), isAllocator(void *(*)(int));
static char mine[1000];
static int used;
void *allocate(int n) { used += n; return mine + used - n; }
int allocated(void) { return used; }
int main(void) {
  char *p = libAllocates(10), *q = allocate(1);
  say("%d %d %d %d\n", p == mine, q == mine + used - 1, allocated(), isAllocator(allocate));
  return 0;
}
