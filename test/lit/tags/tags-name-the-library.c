// A file with tags belongs to the library that they name, wherever it lies; no other linker keeps them.
// REQUIRES: ld.spacer, stock-ld, pass
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fno-pic -fplugin=%pass -fplugin-arg-spacer-lib=one@1.2 -c lib.c -o lib.o
// RUN: %clang -O1 -fno-pic -c app.c -o app.o
// RUN: %spacer_ld app.o lib.o -o image --spacer-atlas=a.atlas --spacer-report=report.json
// RUN: FileCheck %s --check-prefix=REPORT < report.json
// RUN: %stock_ld app.o lib.o -o stock && llvm-readelf -SW stock image | FileCheck %s --check-prefix=DROPPED
// REPORT: "one": {
// REPORT: "units": 0
// REPORT: "shared": {
// REPORT: "units": 2
// DROPPED-NOT: .spacer.tags

// A rule of the command line goes first, and private files are private.
// RUN: rm a.atlas && %spacer_ld app.o lib.o -o image --spacer-atlas=a.atlas --spacer-lib=other=lib.o --spacer-report=report.json
// RUN: FileCheck %s --check-prefix=RULE < report.json
// RULE: "other": {
// RUN: rm a.atlas && %spacer_ld app.o lib.o -o image --spacer-atlas=a.atlas --spacer-private=lib.o --spacer-report=report.json
// RUN: FileCheck %s --check-prefix=PRIVATE < report.json
// PRIVATE: "libraries": {}

//--- lib.c
static int counter;
__attribute__((noinline)) int next(void) { return ++counter; }

//--- app.c
int next(void);
void _start(void) { next(); for (;;); }
