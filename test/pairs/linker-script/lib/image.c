#include "pair.h"
extern char imageText[], imageTextEnd[];
NOINLINE int libKnowsImage(void) {
  const char *begin = imageText, *end = imageTextEnd;
  OPAQUE(begin);
  OPAQUE(end);
  return end > begin;
}
