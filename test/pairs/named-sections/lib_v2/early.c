#include "pair.h"
int late(int);
__attribute__((section(".text.special"))) NOINLINE int early(int x) { OPAQUE(x); x *= 5; OPAQUE(x); return late(x) + 8; }
__attribute__((section("settings"))) int settingZero[5] = {9};
__attribute__((section("settings"))) int settingA = 11;
