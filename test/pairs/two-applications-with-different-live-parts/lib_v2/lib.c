#define COMMON 500000
#define TEXTS "ZERO", "ONE"
#include "body.h"
