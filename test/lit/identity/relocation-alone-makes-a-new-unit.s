## A function whose bytes stay and whose call goes elsewhere is a new unit, at a place of its own; what it calls stays.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %as --defsym VERSION=1 lib.s -o v1/lib.o && %as --defsym VERSION=2 lib.s -o v2/lib.o && %as app.s -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o
# RUN: %spacer_ld app.o v1/libone.a -o image1 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: %spacer_ld app.o v2/libone.a -o image2 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-nm image1 | grep ' left$' > left1 && llvm-nm image2 | grep ' left$' > left2 && diff left1 left2
# RUN: llvm-nm image1 | grep ' caller$' > caller1 && llvm-nm image2 | grep ' caller$' > caller2
# RUN: not diff caller1 caller2

#--- lib.s
  .section .text.caller,"ax",@progbits
  .globl caller, left, right
  .type caller,@function
caller:
.if VERSION == 1
  call left
.else
  call right
.endif
  ret
  .size caller, . - caller
  .section .text.left,"ax",@progbits
  .type left,@function
left: movl $1, %eax
  ret
  .size left, . - left
  .section .text.right,"ax",@progbits
  .type right,@function
right: movl $2, %eax
  ret
  .size right, . - right

#--- app.s
  .globl _start
_start: call caller
  call left
  call right
