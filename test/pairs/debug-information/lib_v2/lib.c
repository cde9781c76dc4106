#include "pair.h"
struct Point { int x, y, z; } point = {1, 2, 3};


NOINLINE int unused(int x) { struct Point p = {x, 2, 4}; return p.x + p.y + p.z; }
NOINLINE int used(int x) { int local = x + point.z; OPAQUE(local); return local; }
