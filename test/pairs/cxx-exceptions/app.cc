/* Exceptions thrown in a library and caught on both sides: unwind tables point at functions wherever they are. */
#include "pair.h"
int safe(int), thrower(int);
struct Guard { const char *name; ~Guard() { say("out of %s\n", name); } };
int main() {
  say("%d %d\n", safe(1), safe(2));
  try {
    Guard guard{"main"};
    thrower(3);
  } catch (int x) {
    say("int %d\n", x);
  } catch (const char *s) {
    say("string %s\n", s);
  }
  return 0;
}
