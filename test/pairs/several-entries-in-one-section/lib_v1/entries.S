#define STEP 10
#include "body.inc"
