// Functions, static functions and statics of equal names in two files, constant
// tables, floating constants, a jump table, thread-local objects.
#include "unikernel.h"

static const unsigned primes[64] = {
    2,   3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,
    43,  47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101,
    103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
static unsigned long count = 7;
static unsigned long history[300];
static __thread unsigned long depth = 3;
static __thread unsigned char scratch[40];
__thread unsigned long numbers_last __attribute__((aligned(32)));

__attribute__((noinline)) unsigned long numbers_mix(unsigned long a,
                                                    unsigned long b) {
  a ^= b * 0x9e3779b97f4a7c15ul;
  return a << 13 | a >> 51;
}

__attribute__((noinline)) static unsigned long step(unsigned i,
                                                    unsigned long x) {
  switch (i % 9) {
  case 0:
    return x + primes[i % 64];
  case 1:
    return x ^ count++;
  case 2:
    return numbers_mix(x, i);
  case 3:
    return x * 31;
  case 4:
    return x - (unsigned long)(1.25 * (double)(x & 255));
  case 5:
    return ~x;
  case 6:
    return x + history[i % 300];
  case 7:
    return x ^ scratch[i % 40];
  default:
    return x + depth++;
  }
}

unsigned long numbers_check(unsigned long seed) {
  for (unsigned i = 0; i < 2000; ++i) {
    seed = step(i, seed);
    history[i % 300] = seed;
    scratch[i % 40] = (unsigned char)seed;
  }
  numbers_last = seed;
  return seed;
}

static void numbersEarly(void) { boot_note("numbers early"); }
EARLY(4, numbersEarly);
static void numbersStart(void) { boot_note("numbers start"); }
INIT(25, numbersStart);
static void numbersConstruct(void) { boot_note("numbers construct"); }
CTOR(5, numbersConstruct);
static __attribute__((constructor(200))) void languageLate(void) {
  boot_note("numbers constructor(200)");
}
