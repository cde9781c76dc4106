#define ADD 7
#include "body.inc"
