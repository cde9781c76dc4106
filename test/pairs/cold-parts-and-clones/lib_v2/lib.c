#define COLD 5000
#define HOT 1
#include "body.h"
