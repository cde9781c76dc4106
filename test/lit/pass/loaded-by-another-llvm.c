// Compilers of another LLVM say so and fail; they do not crash.
// REQUIRES: pass, clang-14
// RUN: not %clang14 -c -fplugin=%pass %s -o %t.o 2>&1 | FileCheck %s
// RUN: not %clang14 -c -fpass-plugin=%pass %s -o %t.o 2>&1 | FileCheck %s
// RUN: %python -c 'import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode != 1)' %clang14 -c -fplugin=%pass %s -o %t.o
// CHECK-NOT: Stack dump
// CHECK: libSpacerPass.so: made for LLVM 19, loaded by LLVM 15 or older; use clang-19
// CHECK-NOT: Stack dump
int one;
