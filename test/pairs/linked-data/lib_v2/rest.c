#include "node.h"
extern struct Node head;
static NOINLINE int value(int x) { OPAQUE(x); return x + 200; }
static NOINLINE int another(int x) { OPAQUE(x); return x * 7; }
static struct Node spare = {"spare", &spare, another, 9};
static struct Node tail = {"tail", &head, another, 30};
struct Node middle = {"central", &tail, value, 20};
struct Node *keepSpare = &spare;
