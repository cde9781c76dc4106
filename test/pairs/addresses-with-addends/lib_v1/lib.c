#define PAD 100
#define COUNT 5
#define A 1
#define B 2
#define C 3
#include "body.h"
