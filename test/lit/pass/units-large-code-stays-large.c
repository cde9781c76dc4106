// Code models that keep large data (and code) in sections of their own keep them there: the linker places those far away.
// REQUIRES: pass
// RUN: %clang -c -O2 -mcmodel=medium -fno-pic -fpass-plugin=%pass %s -o %t.o && llvm-readelf -SW %t.o | FileCheck %s
// RUN: %clang -c -O2 -mcmodel=large -fno-pic -fpass-plugin=%pass %s -o %t.o && llvm-readelf -SW %t.o | FileCheck %s
// RUN: %clang -c -O2 -mcmodel=large -fno-pic -fplugin=%pass %s -o %t.o && llvm-readelf -SW %t.o | FileCheck %s
// CHECK: .lbss{{.*}} NOBITS {{.*}} WAl
char big[100000000];
char get(long i) { return big[i]; }
