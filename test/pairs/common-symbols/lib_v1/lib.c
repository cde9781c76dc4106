#define COUNT 10
#include "body.h"
