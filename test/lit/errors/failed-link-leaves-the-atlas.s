## A link that fails, with an undefined symbol, neither grows the atlas nor touches the image that was there.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as f.s -o f.o && %as g.s -o g.o && llvm-ar rcs libone.a f.o g.o && %as app.s -o app.o && %as bad.s -o bad.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: cp a.atlas before && cp image imagebefore
# RUN: not %spacer_ld bad.o libone.a -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s
# CHECK: error: undefined symbol: missing
# RUN: cmp a.atlas before && cmp image imagebefore

#--- f.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f

#--- g.s
  .section .text.g,"ax",@progbits
  .globl g
  .type g,@function
g: movl $1, %eax
  ret
  .size g, . - g

#--- app.s
  .globl _start
_start: call f

#--- bad.s
  .globl _start
_start: call g
  call missing
