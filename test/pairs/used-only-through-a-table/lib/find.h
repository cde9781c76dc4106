#include "pair.h"
struct Entry { const char *name; int (*run)(int); int extra; };
static NOINLINE int add(int x) { OPAQUE(x); return x + 3; }
static NOINLINE int mul(int x) { OPAQUE(x); return x * FACTOR; }
static NOINLINE int neg(int x) { OPAQUE(x); return -x; }
static const struct Entry entries[] = {ENTRIES};
NOINLINE int lookup(const char *name, int x) {
  for (unsigned i = 0; i < sizeof(entries) / sizeof(entries[0]); ++i)
    if (!strcmp(entries[i].name, name))
      return entries[i].run(x) + entries[i].extra;
  return -1000;
}
