/* Records collected in a section between __start_ and __stop_: the library's and the application's, more in version 2. */
#include "pair.h"
int records(void), sum(void);
__attribute__((section("registry"), used)) static const int mine = 1000;
int main(void) {
  say("%d %d\n", records(), sum());
  return 0;
}
