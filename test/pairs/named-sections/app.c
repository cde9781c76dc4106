/* Functions and data in sections that the source names, shared by several files, kept and read as arrays. */
#include "pair.h"
int early(int), late(int);
extern int settingA, settingB;
int main(void) {
  say("%d %d %d %d\n", early(1), late(1), settingA, settingB);
  return 0;
}
