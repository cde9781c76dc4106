#include "pair.h"
extern char imageText[], imageTextEnd[];
NOINLINE int libKnowsImage(void) { return imageTextEnd > imageText; }
