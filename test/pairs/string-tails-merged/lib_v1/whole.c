#include "pair.h"
NOINLINE const char *whole(void) { return "prefix and ending"; }
NOINLINE const unsigned *wide(void) { return (const unsigned *)L"wide"; }
NOINLINE const unsigned short *narrow(void) { return u"u16s"; }
