#define LEAF 2
#define CHANGED 61
#define GROWN 1
#include "body.h"
