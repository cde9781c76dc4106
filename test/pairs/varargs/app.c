/* Variable arguments: %al and registers must survive the way to the function, for integers and for doubles. */
#include "pair.h"
int sum(int, ...), viaPointer(void);
double average(int, ...);
int main(void) {
  say("%d %f %d\n", sum(8, 1, 2, 3, 4, 5, 6, 7, 8), average(10, 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.), viaPointer());
  return 0;
}
