#define STEP 77
#include "body.inc"
