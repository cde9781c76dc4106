#define COUNT 1000
#include "body.h"
