#include "pair.h"
__attribute__((section(".text.special"))) NOINLINE int early(int x) { OPAQUE(x); return x + 8; }
__attribute__((section("settings"))) int settingA = 1;
