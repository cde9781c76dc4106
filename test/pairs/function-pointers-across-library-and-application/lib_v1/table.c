#include "pair.h"
typedef int Op(int);
NOINLINE int add(int x) { return x + 1; }
NOINLINE int sub(int x) { return x - 1; }
static NOINLINE int hidden(int x) { return x * 7; }
Op *const constTable[3] = {add, sub, hidden};
Op *table[3] = {add, sub, hidden};
NOINLINE Op *give(int i) { return i == 0 ? add : i == 1 ? sub : hidden; }
NOINLINE int isStatic(Op *p) { return p == hidden; }
