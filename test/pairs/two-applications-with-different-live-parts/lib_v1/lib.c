#define COMMON 5
#define TEXTS "zero", "one"
#include "body.h"
