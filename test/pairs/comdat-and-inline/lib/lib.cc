#include "inline.h"
NOINLINE int libCount() { return count(); }
NOINLINE int libTwice(int x) { return twice(x) + Named<int>::value; }
Count *libCountAddress() { return &count; }
Twice *libTwiceAddress() { return &twice<int>; }
