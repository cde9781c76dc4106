#include "node.h"
extern struct Node head;
static NOINLINE int value(int x) { OPAQUE(x); return x + 100; }
static struct Node tail = {"tail", &head, value, 3};
struct Node middle = {"middle", &tail, value, 2};
