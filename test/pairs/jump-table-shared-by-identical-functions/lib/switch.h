#include "pair.h"
static NOINLINE int op(int k) { OPAQUE(k); return k * 3; }
#define SWITCH(name, A, B, C, D, E, F) \
  NOINLINE int name(int what) { \
    switch (what) { \
    case A: return op(1) + 10; \
    case B: return op(2) * 20; \
    case C: return op(3) - 30; \
    case D: return op(4) ^ 40; \
    case E: return op(5) | 50; \
    case F: return op(6) & 60; \
    } \
    return -1; \
  }
