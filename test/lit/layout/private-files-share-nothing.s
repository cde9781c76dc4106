## --spacer-private=GLOB keeps a library out of the atlas's pages.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as f.s -o f.o && llvm-ar rcs libone.a f.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-private='*libone.a*'
# RUN: llvm-readelf -SW image | FileCheck %s --implicit-check-not=.spacer.text --implicit-check-not=.spacer.door
# CHECK: .text

#--- f.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
