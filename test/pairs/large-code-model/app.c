/* The large code model: addresses are 64-bit immediates inside instructions, no relative call anywhere. */
#include "pair.h"
int work(int);
extern int data[3];
const char *name(void);
int main(void) {
  say("%d %d %s\n", work(1), data[2], name());
  return 0;
}
