#include "pair.h"
struct Node { const char *name; struct Node *next; int (*value)(int); int bias; };
