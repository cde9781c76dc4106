#include "pair.h"
typedef int Op(int);
Op add, appOp;
extern Op *const constTable[3];
NOINLINE int isAdd(Op *p) { return p == add; }
NOINLINE int isApp(Op *p) { return p == appOp; }
NOINLINE int indexOf(Op *p) {
  for (int i = 0; i < 3; ++i)
    if (constTable[i] == p)
      return i;
  return -1;
}
