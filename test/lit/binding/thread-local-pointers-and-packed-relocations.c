## Pointers in thread-local objects are right when their relocations are packed (RELR).
# REQUIRES: ld.spacer, clang
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %clang -c -O1 -fPIE -fdata-sections lib.c -o lib.o && llvm-ar rcs libone.a lib.o && %clang -c -O1 -fPIE app.c -o app.o
# RUN: %clang --ld-path=%spacer_ld -static-pie app.o libone.a -o image -Wl,-z,pack-relative-relocs -Wl,--spacer-atlas=a.atlas
# RUN: llvm-readelf -SW image | FileCheck %s
# RUN: ./image
// CHECK: RELR

#--- lib.c
int object = 5, other = 6;
static __thread int *pointers[2] = {&object, &other};
static int *plain = &other;
int **take(void) { return pointers; }
int **takePlain(void) { return &plain; }

#--- app.c
extern int object, other;
int **take(void), **takePlain(void);
__thread int *mine = &object;
int main(void) { return !(take()[0] == &object && take()[1] == &other && *takePlain() == &other && mine == &object); }
