// Ten lines inserted on top of a file with assertions: no function changes, one page of line tables does.
// REQUIRES: ld.spacer, pass
// RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
// RUN: cp lib.c v1/lib.c && cat ten.txt lib.c > v2/lib.c
// RUN: cd v1 && %clang -O2 -fno-pic -fplugin=%pass -fplugin-arg-spacer-lib=one -c lib.c -o lib.o
// RUN: cd ../v2 && %clang -O2 -fno-pic -fplugin=%pass -fplugin-arg-spacer-lib=one -c lib.c -o lib.o
// RUN: cd .. && %clang -O2 -fno-pic -c app.c -o app.o
// RUN: %spacer_ld app.o v1/lib.o -o image1 --spacer-atlas=a.atlas
// RUN: %spacer_ld app.o v2/lib.o -o image2 --spacer-atlas=a.atlas --spacer-report=report.json
// RUN: FileCheck %s < report.json
// RUN: %spacer inspect --units image2 | FileCheck %s --check-prefix=TABLES
// CHECK: "newVariants": 1
// CHECK: "newBytes": 0
// TABLES-DAG: lib.c:checked.spacer.lines
// TABLES-DAG: lib.c:other.spacer.lines
// The lines that the program prints are those of the new file: 19 + 10 and 24 + 10.
// RUN: llvm-objdump -s --section=.spacer.rodata.0 image2 | FileCheck %s --check-prefix=LINES
// LINES: 1d000000 22000000

//--- ten.txt
// 1
// 2
// 3
// 4
// 5
// 6
// 7
// 8
// 9
// 10
//--- lib.c
void fail(const char *, int) __attribute__((noreturn));
#define CHECK(x) if (!(x)) fail(#x, __LINE__)
//
//
//
//
//
//
//
//
//
//
//
//
//
//
//
int checked(int x) {
  CHECK(x > 3);
  return x - 3;
}
//
int other(int x) {
  CHECK(x != 5);
  return x / (x - 5);
}

//--- app.c
int checked(int), other(int);
void fail(const char *, int) { for (;;); }
void _start(void) { checked(1); other(2); for (;;); }
