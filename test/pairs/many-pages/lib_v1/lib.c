#define LEAF 1
#define CHANGED 60
#include "body.h"
