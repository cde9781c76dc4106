// The profile that the pass writes outlives `ld -r` of GNU ld and objcopy, which leave its entry size 0: the hot function of
// the library still gets an entry slot. Without the profile it gets a door.
// REQUIRES: ld.spacer, pass, gnu-ld
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fno-pic -c app.c -o app.o
// RUN: %clang -O1 -fno-pic -fplugin=%pass -c a.c -o a.o && %clang -O1 -fno-pic -fplugin=%pass -c b.c -o b.o
// RUN: %gnu_ld -r a.o b.o -o joined.o && objcopy --keep-global-symbol=run joined.o libone.o
// RUN: llvm-readelf -SW libone.o | FileCheck %s --check-prefix=SIZE
// RUN: %spacer_ld app.o libone.o -o image --spacer-atlas=a.atlas --spacer-lib=one=libone.o
// RUN: %spacer inspect --units image | FileCheck %s
// RUN: %clang -O1 -fno-pic -fplugin=%pass -fplugin-arg-spacer-no-frequencies -c a.c -o a.o
// RUN: %gnu_ld -r a.o b.o -o joined.o && objcopy --keep-global-symbol=run joined.o libone.o
// RUN: %spacer_ld app.o libone.o -o image --spacer-atlas=b.atlas --spacer-lib=one=libone.o
// RUN: %spacer inspect --units image | FileCheck %s --check-prefix=DOOR
// SIZE: .llvm.call-graph-profile {{.*}} 00 {{ *}}E
// CHECK: slots: 0 doors (0 bytes), 1 entries
// DOOR: slots: 1 doors

//--- a.c
int hot(int);
int run(int n) { int s = 0; for (int i = 0; i < n; i++) for (int k = 0; k < n; k++) s += hot(i ^ k); return s; }

//--- b.c
__attribute__((noinline)) int hot(int x) { __asm__ volatile(""); return x * 3; }

//--- app.c
int run(int);
void _start(void) { run(100); for (;;); }
