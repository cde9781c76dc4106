## `spacer delta BASE NEW` needs no link: with its delta, too, the base gives the image of the new library.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %as --defsym VALUE=1 lib.s -o v1/lib.o && %as --defsym VALUE=2 lib.s -o v2/lib.o && %as app.s -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o
# RUN: %spacer delta v1/libone.a v2/libone.a -o delta.o
# RUN: %spacer_ld app.o v2/libone.a -o image1 --spacer-atlas=a.atlas
# RUN: %spacer_ld app.o v1/libone.a delta.o -o image2 --spacer-atlas=b.atlas
# RUN: cmp image1 image2

#--- lib.s
  .section .text.changed,"ax",@progbits
  .globl changed
  .type changed,@function
changed: movl $VALUE, %eax
  ret
  .size changed, . - changed

#--- app.s
  .globl _start
_start: call changed
