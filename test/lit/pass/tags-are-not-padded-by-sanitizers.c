// Sanitizers put guards behind objects, after the pass: not behind tags and line tables, whose bytes are a format.
// REQUIRES: pass
// RUN: %clang -c -O1 -fsanitize=address,undefined -fplugin=%pass -fplugin-arg-spacer-lib=a %s -o %t.o
// RUN: llvm-readelf -SW %t.o | FileCheck %s
// RUN: %clang -c -O1 -fsanitize=hwaddress -fplugin=%pass -fplugin-arg-spacer-lib=a %s -o %t.o
// RUN: llvm-readelf -SW %t.o | FileCheck %s
// CHECK-DAG: .rodata.spacer.lines.f PROGBITS {{[0-9a-f]+ [0-9a-f]+}} 000004
// CHECK-DAG: .spacer.tags PROGBITS {{[0-9a-f]+ [0-9a-f]+}} 0000{{[0-9a-f][08]}} {{.*}} E
void fail(int) __attribute__((noreturn));
static int counter;
int f(int v) {
  if (!v)
    fail(__LINE__);
  return counter += v;
}
