// What '#pragma clang section' places stays there, whoever loads the pass.
// REQUIRES: pass
// RUN: %clang -c -O2 -fpass-plugin=%pass %s -o %t.o && llvm-readelf -SW %t.o | FileCheck %s
// RUN: %clang -c -O2 -fplugin=%pass %s -o %t.o && llvm-readelf -SW %t.o | FileCheck %s
// CHECK-NOT: .text.boot
// CHECK-NOT: .{{bss|data|rodata}}.{{zero|full|fixed}}
// CHECK-DAG: my.text
// CHECK-DAG: my.bss
// CHECK-DAG: my.data
// CHECK-DAG: my.rodata
// CHECK-DAG: .text.ordinary
#pragma clang section text = "my.text" bss = "my.bss" data = "my.data" rodata = "my.rodata"
int zero[9];
int full[9] = {1};
const int fixed[9] = {2};
int boot(int i) { return zero[i] + full[i] + fixed[i]; }
#pragma clang section text = "" bss = "" data = "" rodata = ""
int ordinary(int i) { return i; }
