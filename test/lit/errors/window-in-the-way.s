## A window on top of the image's own sections is refused: two things cannot have one address.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: not %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-window=0x200000:4M 2>&1 | FileCheck %s
# CHECK: error: {{.*}}window
# CHECK-NOT: error:
# RUN: not ls image

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
  .fill 100000, 1, 0x90
  .data
  .fill 100000, 1, 1
