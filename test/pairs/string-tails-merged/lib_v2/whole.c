#include "pair.h"
NOINLINE const char *whole(void) { return "prefix and ended"; }
NOINLINE const unsigned *wide(void) { return (const unsigned *)L"xide"; }
NOINLINE const unsigned short *narrow(void) { return u"v16s"; }
