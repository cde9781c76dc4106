/* An application with more records of its own. */
#include "pair.h"
int records(void), sum(void);
__attribute__((section("registry"), used)) static const int mine[] = {5000, 6000, 7000};
extern const int __start_registry[], __stop_registry[];
int main(void) {
  say("%d %d %d\n", records(), sum(), (int)(__stop_registry - __start_registry));
  return 0;
}
