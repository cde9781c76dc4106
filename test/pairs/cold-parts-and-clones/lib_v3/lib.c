#define COLD 10
#define HOT 77
#include "body.h"
