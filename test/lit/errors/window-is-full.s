## When the window has no room the link says so, and the atlas is as it was.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as small.s -o small.o && %as big.s -o big.o && llvm-ar rcs libsmall.a small.o && llvm-ar rcs libbig.a big.o
# RUN: %as app.s -o app.o && %as --defsym BIG=1 app.s -o bigapp.o
# RUN: %spacer_ld app.o libsmall.a -o image --spacer-atlas=a.atlas --spacer-window=0x4000000:1M
# RUN: cp a.atlas before
# RUN: not %spacer_ld bigapp.o libsmall.a libbig.a -o bigimage --spacer-atlas=a.atlas 2>&1 | FileCheck %s
# CHECK: error: {{.*}}window
# CHECK-NOT: error:
# RUN: cmp a.atlas before && not ls bigimage

#--- small.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f

#--- big.s
  .section .text.g,"ax",@progbits
  .globl g
  .type g,@function
g: .fill 2000000, 1, 0x90
  ret
  .size g, . - g

#--- app.s
  .globl _start
_start: call f
.ifdef BIG
  call g
.endif
