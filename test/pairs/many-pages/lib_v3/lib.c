#define LEAF 1
#define CHANGED 62
#include "body.h"
