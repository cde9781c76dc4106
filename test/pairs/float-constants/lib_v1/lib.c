#include "pair.h"
NOINLINE double area(double r) { return 3.141 * r * r; }
NOINLINE double third(void) { double x = 1.0 / 3.0; OPAQUE(x); return x; }
NOINLINE double absolute(double x) { return __builtin_fabs(x); }
NOINLINE double mix(double a, float b) { return a * 1.25 + b * 2.5f; }
NOINLINE float half(float x) { return x * 0.5f; }
