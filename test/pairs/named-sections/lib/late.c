#include "pair.h"
__attribute__((section(".text.special"))) NOINLINE int late(int x) { OPAQUE(x); return x + 9; }
__attribute__((section("settings"))) int settingB = 2;
