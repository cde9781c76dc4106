## Between equal libraries the delta is empty, valid, and adds nothing to an image.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image1 --spacer-atlas=a.atlas
# RUN: %spacer_ld app.o libone.a -o image2 --spacer-atlas=a.atlas --spacer-delta=delta.o --spacer-delta-base=libone.a
# RUN: %spacer_ld app.o libone.a delta.o -o image3 --spacer-atlas=a.atlas
# RUN: cmp image1 image2 && cmp image1 image3
# RUN: llvm-readelf -h delta.o | FileCheck %s
# CHECK: REL (Relocatable file)

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
