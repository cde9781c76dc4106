/* A function has one address, whoever takes it: table, code, application, library, before and after a change. */
#include "pair.h"
typedef int Op(int);
Op add, sub, *give(int), appOp;
extern Op *const constTable[3];
extern Op *table[3];
int isAdd(Op *), isStatic(Op *), isApp(Op *), indexOf(Op *);
int appOp(int x) { return x + 5000; }
static Op *const mine[] = {add, sub, appOp};
int main(void) {
  for (int i = 0; i < 3; ++i)
    say("%d %d %d: %d %d\n", SAME(constTable[i], table[i]), SAME(constTable[i], give(i)), indexOf(give(i)), table[i](1),
        give(i)(2));
  say("%d %d %d %d\n", SAME(mine[0], table[0]), SAME(mine[1], constTable[1]), SAME(add, give(0)), SAME(&sub, table[1]));
  say("%d %d %d %d\n", isAdd(add), isAdd(mine[0]), isAdd(sub), isStatic(give(2)));
  say("%d %d %d %d\n", isApp(appOp), isApp(mine[2]), isApp(add), mine[2](1));
  return 0;
}
