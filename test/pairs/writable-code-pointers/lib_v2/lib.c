#define STANDARD 1000
#include "body.h"
