/* A linker script with program headers and wildcards for all text: shared units leave its sections, its symbols hold. */
#include "pair.h"
extern char imageText[], imageTextEnd[], imageBss[], imageEnd[];
int work(int);
const char *name(void);
int libKnowsImage(void);
static volatile int mine[100];
__attribute__((constructor)) static void early(void) { mine[3] = 3; }
static int inside(const void *p, const char *begin, const char *end) {
  OPAQUE(p);
  OPAQUE(begin);
  OPAQUE(end);
  return (const char *)p >= begin && (const char *)p < end;
}
int main(void) {
  say("%s %d %d\n", name(), work(1), mine[3]);
  say("%d %d %d\n", inside((const void *)mine, imageBss, imageEnd), inside(main, imageText, imageTextEnd), libKnowsImage());
  return 0;
}
