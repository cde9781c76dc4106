#define CODE 42
#define DEPTH 5
#include "body.h"
