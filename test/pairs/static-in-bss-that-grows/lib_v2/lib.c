#define COUNT 90000
#include "body.h"
