// Initialised data with pointers to functions and to data; large .bss; common
// alignments; a static array per thread.
#include "unikernel.h"

struct Item {
  unsigned long (*apply)(unsigned long);
  struct Item *next;
  unsigned long weight;
};

static unsigned long twice(unsigned long x) { return 2 * x + 1; }
static unsigned long half(unsigned long x) { return x / 2; }
static unsigned long other(unsigned long x) { return numbers_mix(x, 99); }

static struct Item items[3] = {
    {twice, &items[2], 5}, {half, 0, 7}, {other, &items[1], 9}};
static unsigned long (*volatile chosen)(unsigned long) = half;
static unsigned char space[40000];
static unsigned char line[256] __attribute__((aligned(64)));
static __thread unsigned long perThread[20];
unsigned long store_common[100];
long store_limit = 4096;

__attribute__((noinline)) void *store_slot(unsigned i) {
  return &space[i * 64 % sizeof space];
}

unsigned long store_check(unsigned long seed) {
  for (unsigned i = 0; i < 1000; ++i) {
    for (struct Item *p = items; p; p = p->next)
      seed = p->apply(seed) + p->weight;
    seed ^= chosen(seed);
    *(unsigned long *)store_slot(i) += seed;
    line[i % 256] ^= (unsigned char)seed;
    perThread[i % 20] += seed;
    store_common[i % 100] ^= perThread[(i + 7) % 20] ^ line[i * 7 % 256];
  }
  return seed ^ store_common[42];
}

static void storeEarly(void) { boot_note("store early"); }
EARLY(2, storeEarly);
static void storeStart(void) { boot_note("store start"); }
INIT(10, storeStart);
static void storeConstruct(void) { boot_note("store construct"); }
CTOR(2, storeConstruct);
PARAMETER(limit, "store.limit", &store_limit);
