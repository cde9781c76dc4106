// A partial link over two libraries: nobody knows which code is whose, which is said, and nothing is shared under a wrong name.
// REQUIRES: ld.spacer, stock-ld, pass
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fno-pic -fplugin=%pass -fplugin-arg-spacer-lib=one -c a.c -o a.o
// RUN: %clang -O1 -fno-pic -fplugin=%pass -fplugin-arg-spacer-lib=two@3 -c b.c -o b.o
// RUN: %clang -O1 -fno-pic -c app.c -o app.o
// RUN: %stock_ld -r a.o b.o -o joined.o
// RUN: %spacer_ld app.o joined.o -o image --spacer-atlas=a.atlas --spacer-report=report.json 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < report.json
// CHECK: warning: joined.o: holds code of one and of two, tagged as one file: it stays private; name its library with --spacer-lib=NAME=GLOB
// REPORT: "libraries": {}

//--- a.c
int first(int x) { return x + 1; }

//--- b.c
int second(int x) { return x * 3; }

//--- app.c
int first(int), second(int);
void _start(void) { first(1); second(2); for (;;); }
