// `help` shows a text that names each argument; the file is compiled all the same.
// REQUIRES: pass
// RUN: rm -f %t.o && %clang -c -fplugin=%pass -fplugin-arg-spacer-help %s -o %t.o | FileCheck %s && ls %t.o
// RUN: %opt -load-pass-plugin=%pass '-passes=spacer<help>' -disable-output /dev/null | FileCheck %s
// CHECK: libSpacerPass.so
// CHECK: clang-19 -fplugin=
// CHECK: lib=NAME[@VERSION]
// CHECK: image=GLOB
// CHECK: report=FILE
// CHECK: no-units
// CHECK: no-image-got
// CHECK: no-lines
// CHECK: no-frequencies
// CHECK: no-tags
// CHECK: help
int one;
