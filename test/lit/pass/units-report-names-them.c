// The report names the units, whether the frontend or the pass made the sections.
// REQUIRES: pass
// RUN: %clang -c -O2 -fplugin=%pass -fplugin-arg-spacer-report=%t1.json %s -o %t1.o && FileCheck %s < %t1.json
// RUN: %clang -c -O2 -fpass-plugin=%pass %s -o %t2.o
// RUN: llvm-readelf -SW %t1.o > %t1.txt && llvm-readelf -SW %t2.o > %t2.txt
// RUN: FileCheck %s --check-prefix=SECTIONS < %t1.txt
// RUN: FileCheck %s --check-prefix=SECTIONS < %t2.txt
// CHECK:      "units": [
// CHECK-NEXT: "outer",
// CHECK-NEXT: "inner",
// CHECK-NEXT: "counter"
// CHECK-NEXT: ]
// SECTIONS-DAG: .text.outer
// SECTIONS-DAG: .text.inner
// SECTIONS-DAG: .bss.counter
static int counter;
__attribute__((noinline)) static int inner(void) { return counter++; }
int outer(void) { return inner() + 1; }
