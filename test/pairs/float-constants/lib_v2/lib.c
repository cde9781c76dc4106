#include "pair.h"
NOINLINE double area(double r) { return 3.1415 * r * r; }
NOINLINE double third(void) { double x = 2.0 / 3.0; OPAQUE(x); return x; }
NOINLINE double absolute(double x) { return -__builtin_fabs(x); }
NOINLINE double mix(double a, float b) { return a * 2.5 + b * 1.25f; }
NOINLINE float half(float x) { return x * 0.25f; }
