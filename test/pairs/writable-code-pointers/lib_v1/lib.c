#define STANDARD 1
#include "body.h"
