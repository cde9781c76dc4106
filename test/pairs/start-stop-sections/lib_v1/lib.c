#include "pair.h"
__attribute__((section("registry"), used)) static const int one = 1, two = 20;
extern const int __start_registry[], __stop_registry[];
NOINLINE int records(void) { return (int)(__stop_registry - __start_registry); }
NOINLINE int sum(void) { int s = 0; for (const int *p = __start_registry; p < __stop_registry; ++p) s += *p; return s; }
