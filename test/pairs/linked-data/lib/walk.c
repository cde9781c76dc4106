#include "node.h"
NOINLINE int walk(struct Node *n, int steps) { while (steps--) n = n->next; return n->value(n->bias); }
