/* With glibc's own archives as libraries of the atlas: indirect functions, weak hooks, thread-local errno, stdio. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int compare(const void *, const void *);
const char *describe(int);
int main(void) {
  int v[] = {5, 3, 9, 1};
  qsort(v, 4, sizeof(int), compare);
  char buffer[64];
  snprintf(buffer, sizeof(buffer), "%d %d %d %d %.2f %s", v[0], v[1], v[2], v[3], strtod("2.5", 0), describe(2));
  errno = 0;
  fopen("/nonexistent/file", "r");
  printf("%s %d %d %s\n", buffer, (int)strlen(buffer), errno, strchr("hello", 'l'));
  return 0;
}
