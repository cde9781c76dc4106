// Where another run of the compiler did the preprocessing, __LINE__ is no longer seen: the pass guesses as it does without a frontend.
// REQUIRES: pass
// RUN: rm -rf %t && mkdir %t && cp %s %t/x.c && cd %t
// RUN: %clang -E x.c -o x.i && %clang -c -O2 -fplugin=%pass x.i -o x.o && llvm-readelf -SW x.o | FileCheck %s
// CHECK: .text.check
// CHECK: .rodata.spacer.lines.check
void fail(int) __attribute__((noreturn));
int check(int v) {
#line 120
  if (!v)
    fail(__LINE__);
  return v;
}
