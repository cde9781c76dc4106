#include "pair.h"
#include <stdarg.h>
NOINLINE int sum(int n, ...) { va_list a; va_start(a, n); int s = 0; while (n--) s += va_arg(a, int); return s; }
NOINLINE double average(int n, ...) { va_list a; va_start(a, n); double s = 0; for (int i = 0; i < n; ++i) s += va_arg(a, double); return s / n; }
