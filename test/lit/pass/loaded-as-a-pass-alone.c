// -fpass-plugin alone: sections, tables by guess, tags without a library. With -fplugin too, the frontend's arguments count and
// everything is done once.
// REQUIRES: pass
// RUN: %clang -c -O2 -fpass-plugin=%pass %s -o %t.o && llvm-readelf -SW %t.o | FileCheck %s
// RUN: llvm-readelf -x .spacer.tags %t.o | FileCheck %s --check-prefix=ALONE
// RUN: %clang -c -O2 -fplugin=%pass -fplugin-arg-spacer-lib=one %s -o %t1.o
// RUN: %clang -c -O2 -fplugin=%pass -fplugin-arg-spacer-lib=one -fpass-plugin=%pass %s -o %t2.o && cmp %t1.o %t2.o
// RUN: %clang -c -O2 -fpass-plugin=%pass -fplugin=%pass -fplugin-arg-spacer-lib=one %s -o %t2.o && cmp %t1.o %t2.o
// CHECK: .text.check
// CHECK: .rodata.spacer.lines.check
// CHECK: .spacer.tags
// ALONE: 53705467 01000000 {{[0-9a-f]+}} {{[0-9a-f]+}}
// ALONE-NEXT: 0x00000010 00000000
void fail(int) __attribute__((noreturn));
int check(int v) {
#line 120
  if (!v)
    fail(__LINE__);
  return v;
}
