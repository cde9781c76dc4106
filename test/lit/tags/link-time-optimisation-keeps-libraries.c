// One object from bitcode of two libraries and the application: each function keeps its library, nothing is inlined from
// one into the other, and inside a library all is.
// REQUIRES: ld.spacer, pass
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O2 -fno-pic -flto -fplugin=%pass -fplugin-arg-spacer-lib=one -c one.c -o one.o
// RUN: %clang -O2 -fno-pic -flto -fplugin=%pass -fplugin-arg-spacer-lib=one -c part.c -o part.o
// RUN: %clang -O2 -fno-pic -flto -fplugin=%pass -fplugin-arg-spacer-lib=two -c two.c -o two.o
// RUN: %clang -O2 -fno-pic -flto -c app.c -o app.o
// RUN: %spacer_ld app.o one.o part.o two.o -o image --spacer-atlas=a.atlas --spacer-trampolines=door --spacer-report=report.json
// RUN: FileCheck %s --check-prefix=REPORT < report.json
// RUN: llvm-objdump -d --no-show-raw-insn --disassemble-symbols=oneValue,twoCalls image | FileCheck %s
// RUN: %spacer inspect --units image | FileCheck %s --check-prefix=UNITS
// REPORT: "one": {
// REPORT: "two": {
// REPORT: "privateBecause": {}
// The other library's function by its door, the own library's inside.
// CHECK-LABEL: <oneValue>:
// CHECK-NOT: {{call|jmp}}
// CHECK: ret
// CHECK-LABEL: <twoCalls>:
// CHECK: {{jmp|call}}{{.*}}<oneValue@spacer>
// UNITS-DAG: one {{.*}}oneValue
// UNITS-DAG: two {{.*}}twoCalls

// The same library code in an application that uses less of it.
// RUN: %clang -O2 -fno-pic -flto -DLESS -c app.c -o less.o
// RUN: %spacer_ld less.o one.o part.o two.o -o less --spacer-atlas=a.atlas --spacer-trampolines=door --spacer-report=report.json
// RUN: FileCheck %s --check-prefix=LESS < report.json
// LESS: "newBytes": 0

// Thin link-time optimisation keeps them apart, too.
// RUN: %clang -O2 -fno-pic -flto=thin -fplugin=%pass -fplugin-arg-spacer-lib=one -c one.c -o one.o
// RUN: %clang -O2 -fno-pic -flto=thin -fplugin=%pass -fplugin-arg-spacer-lib=one -c part.c -o part.o
// RUN: %clang -O2 -fno-pic -flto=thin -fplugin=%pass -fplugin-arg-spacer-lib=two -c two.c -o two.o
// RUN: %clang -O2 -fno-pic -flto=thin -c app.c -o app.o
// RUN: rm a.atlas && %spacer_ld app.o one.o part.o two.o -o image --spacer-atlas=a.atlas --spacer-trampolines=door --spacer-report=report.json
// RUN: FileCheck %s --check-prefix=REPORT < report.json
// RUN: llvm-objdump -d --no-show-raw-insn --disassemble-symbols=oneValue,twoCalls image | FileCheck %s

//--- one.c
int partValue(int);
int oneValue(int x) { return partValue(x) + 3; }

//--- part.c
int partValue(int x) { return x * 5; }

//--- two.c
int oneValue(int);
int twoCalls(int x) { return oneValue(x + 1); }

//--- app.c
int oneValue(int), twoCalls(int);
volatile int sink;
void _start(void) {
  sink = twoCalls(sink);
#ifndef LESS
  sink = oneValue(sink);
#endif
  for (;;);
}
