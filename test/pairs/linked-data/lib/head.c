#include "node.h"
extern struct Node middle;
static NOINLINE int value(int x) { OPAQUE(x); return x + 1; }
struct Node head = {"head", &middle, value, 1};
