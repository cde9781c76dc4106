#define PAD 900
#define COUNT 700
#define A 10
#define B 20
#define C 30
#include "body.h"
