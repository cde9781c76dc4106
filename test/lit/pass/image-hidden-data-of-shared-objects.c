// In a shared object a hidden reference is a promise that nothing else defines the symbol: it stays hidden, and the object does not
// get the boundaries of a section of the executable's.
// REQUIRES: pass, stock-ld
// RUN: %clang -c -O2 -fPIC -fplugin=%pass %s -o %t.o
// RUN: llvm-readelf -sW %t.o | FileCheck %s
// RUN: %stock_ld -shared %t.o -o %t.so && llvm-readelf --dyn-syms %t.so | FileCheck %s --check-prefix=EXPORTS
// RUN: %clang -c -O2 -fPIE -fplugin=%pass %s -o %t.o && llvm-readelf -rW %t.o | FileCheck %s --check-prefix=PIE
// CHECK: HIDDEN UND __start_numbers
// EXPORTS-NOT: __start_numbers
// PIE: GOTPCREL{{.*}} __start_numbers
extern int __start_numbers[] __attribute__((visibility("hidden")));
__attribute__((section("numbers"), used)) static int number = 1;
int *first(void) { return __start_numbers; }
