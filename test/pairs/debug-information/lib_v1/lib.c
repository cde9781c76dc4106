#include "pair.h"
struct Point { int x, y; } point = {1, 2};
NOINLINE int unused(int x) { struct Point p = {x, 2}; return p.x + p.y; }
NOINLINE int used(int x) { int local = x + point.x; OPAQUE(local); return local; }
