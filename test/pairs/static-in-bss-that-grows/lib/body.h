#include "pair.h"
static int before, guardBefore[4];
static char buffer[COUNT];
static int guardAfter[4], after;
char exported[COUNT + 3];
int exportedAfter;
NOINLINE int zeroes(void) {
  int seen = 0;
  for (int i = 0; i < COUNT; ++i)
    seen |= buffer[i] | exported[i];
  return seen;
}
NOINLINE int fill(int value) {
  memset(buffer, value, sizeof(buffer));
  memset(exported, value, sizeof(exported));
  return sizeof(buffer);
}
NOINLINE int sum(void) {
  int total = 0;
  for (int i = 0; i < COUNT; ++i)
    total += buffer[i] + exported[i];
  return total;
}
NOINLINE int neighbours(void) {
  int seen = before + after + exportedAfter;
  for (int i = 0; i < 4; ++i)
    seen += guardBefore[i] + guardAfter[i];
  return seen + 7;
}
