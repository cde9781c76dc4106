/* A jump table in assembler: code and table are equal byte for byte, only the table's relocations differ. */
#include "pair.h"
int jumpAbsolute(long), jumpRelative(long);
int main(void) {
  for (int i = 0; i < 4; ++i)
    say("%d %d\n", jumpAbsolute(i), jumpRelative(i));
  return 0;
}
