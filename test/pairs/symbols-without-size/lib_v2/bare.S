#define ADD 9
#include "body.inc"
