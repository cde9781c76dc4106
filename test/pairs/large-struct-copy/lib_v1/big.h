#include "pair.h"
#define COUNT 100
struct Big { int values[COUNT]; };
struct Big make(int);
void copy(struct Big *, const struct Big *);
int byValue(struct Big);
