#define CODE 43
#define DEPTH 9
#include "body.h"
