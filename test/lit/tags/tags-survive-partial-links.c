// `ld -r` of a library's files and objcopy, as Unikraft builds: locals keep the names of their files, so a static function
// and a static variable stand where the plain objects have them.
// REQUIRES: ld.spacer, stock-ld, pass
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fno-pic -fplugin=%pass -fplugin-arg-spacer-lib=one -c a.c -o a.o
// RUN: %clang -O1 -fno-pic -fplugin=%pass -fplugin-arg-spacer-lib=one -c b.c -o b.o
// RUN: %clang -O1 -fno-pic -c app.c -o app.o
// RUN: %spacer_ld app.o a.o b.o -o plain --spacer-atlas=a.atlas
// RUN: %stock_ld -r a.o b.o -o joined.o
// RUN: llvm-objcopy --keep-global-symbol=first --keep-global-symbol=second joined.o libone.o
// RUN: %spacer_ld app.o libone.o -o partial --spacer-atlas=a.atlas --spacer-report=report.json
// RUN: FileCheck %s < report.json
// RUN: %spacer inspect --units plain > units1 && %spacer inspect --units partial > units2
// RUN: FileCheck %s --check-prefix=NAMES < units2
// RUN: grep ' one ' units1 | sort > one1 && grep ' one ' units2 | sort > one2 && diff one1 one2
// CHECK: "new": 0
// NAMES-DAG: a.c:helper
// NAMES-DAG: b.c:helper
// NAMES-DAG: a.c:count

//--- a.c
static int count = 5;
__attribute__((noinline)) static int helper(int x) { return x * count++; }
int first(int x) { return helper(x) + 1; }

//--- b.c
__attribute__((noinline)) static int helper(int x) { __asm__ volatile("nop"); return x + 7; }
int second(int x) { return helper(x) * 3; }

//--- app.c
int first(int), second(int);
void _start(void) { first(1); second(2); for (;;); }
