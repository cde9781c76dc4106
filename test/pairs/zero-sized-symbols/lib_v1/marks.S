#define FIRST .ascii "abc"
#define ADD 1
#include "body.inc"
