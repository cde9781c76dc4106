#define FIRST .ascii "abcdefg"
#define ADD 3
#include "body.inc"
