/* An application without copies of its own: the library's win. */
#include "pair.h"
int libCount(), libTwice(int);
int main() {
  SHOW(libCount());
  SHOW(libCount());
  SHOW(libTwice(21));
  return 0;
}
