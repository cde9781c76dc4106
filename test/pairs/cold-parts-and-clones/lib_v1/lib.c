#define COLD 10
#define HOT 1
#include "body.h"
