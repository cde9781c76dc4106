#define COUNT 100
#include "body.h"
