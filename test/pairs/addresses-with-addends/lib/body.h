#include "pair.h"
struct Deep { char pad[PAD]; int values[8]; };
static int first[3] = {A, A + 1, A + 2};
static int second[COUNT] = {[COUNT - 1] = B};
static struct Deep deep = {.values = {0, 0, 0, C}};
static int third[20] = {[1] = 5, [10] = 6};
/* A start, an end, ten before an element, a field. */
int *const ends[4] = {&first[1], &second[COUNT], &third[1] - 1, &deep.values[3]};
NOINLINE int biased(int i) { OPAQUE(i); return (third - 100)[i]; }
NOINLINE int field(void) { struct Deep *p = &deep; OPAQUE(p); return p->values[3] + deep.values[2]++; }
NOINLINE int sumStatic(void) {
  int sum = 0;
  for (int *p = first; p != first + 3; ++p)
    sum += *p;
  for (int *p = second + COUNT; p-- != second;)
    sum += *p;
  return sum;
}
NOINLINE int distance(void) { int *end = second + COUNT, *begin = second; OPAQUE(end); return (int)(end - begin); }
