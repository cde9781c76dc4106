// A function's second constant has the same name, however many strings and constants the file has before it.
// REQUIRES: pass
// RUN: rm -rf %t && mkdir %t && cp %s %t/x.c && cd %t
// RUN: %clang -c -O2 -fplugin=%pass x.c -o one.o && llvm-readelf -SW one.o | FileCheck %s
// RUN: %clang -c -O2 -DMORE -fplugin=%pass x.c -o two.o && llvm-readelf -SW two.o | FileCheck %s
// CHECK: .rodata.switch.table.pick.x.c
// CHECK: .rodata.switch.table.pick.1.x.c
void take(const void *, const void *);
#ifdef MORE
void another(int v) {
  const char *a[] = {"one", "two", "three"};
  const int b[] = {v, 5, 6, 7, 8}, c[] = {3, 5, 6, 7, v}, d[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, e[] = {1, 2, 3, 4, 5, 6, 7, 8, 10};
  take(a, b), take(c, "four"), take("five", "six"), take(d, e);
}
#endif
int pick(int v, int *w) {
  switch (v) { case 0: *w = 77; break; case 1: *w = 5; break; case 2: *w = 1234; break; case 3: *w = 9; break; case 4: *w = -4; break; default: *w = 0; }
  switch (v) { case 0: return 76; case 1: return 50; case 2: return 1034; case 3: return 901; case 4: return -14; default: return 0; }
}
