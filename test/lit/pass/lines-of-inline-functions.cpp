// C++: inline functions, exceptions, static locals and templates compile, and tables of inline functions are in their groups.
// REQUIRES: pass, clang++, stock-ld
// RUN: %clangxx -c -O2 -std=c++20 -fplugin=%pass -fplugin-arg-spacer-lib=one %s -o %t1.o
// RUN: %clangxx -c -O2 -std=c++20 -DSECOND -fplugin=%pass -fplugin-arg-spacer-lib=one %s -o %t2.o
// RUN: llvm-readelf -gW %t1.o | FileCheck %s --check-prefix=GROUP
// RUN: %clangxx -O2 %t1.o %t2.o -o %t && %t | FileCheck %s
// RUN: %clangxx -c -O0 -g -std=c++20 -fplugin=%pass %s -o %t1.o && %clangxx -c -O0 -DSECOND -std=c++20 %s -o %t2.o
// RUN: %clangxx %t2.o %t1.o -o %t && %t | FileCheck %s
// GROUP: COMDAT group section {{.*}} [_Z5checki]
// GROUP-DAG: .text._Z5checki
// GROUP-DAG: .rodata.spacer.lines._Z5checki
// CHECK: line 220
// CHECK-NEXT: line 320
// CHECK-NEXT: counted 4
#include <cstdio>
struct Bad { int line; };
[[noreturn]] void raise(int line);
#line 219
[[gnu::noinline]] inline int check(int v) {
  if (v < 0) raise(__LINE__);
  static int calls = std::printf("") + 1;
  return calls++ + v;
}
#ifdef SECOND
void raise(int line) { throw Bad{line}; }
int other() { return check(1); }
#else
int other();
#line 319
template <class T> [[gnu::noinline]] T twice(T v) {
  if (v > 1000) raise(__LINE__);
  return 2 * v;
}
int main(int argc, char **) {
  try { check(-argc); } catch (Bad b) { std::printf("line %d\n", b.line); }
  try { twice(1000 + argc); } catch (Bad b) { std::printf("line %d\n", b.line); }
  std::printf("counted %d\n", check(0) + other());
}
#endif
