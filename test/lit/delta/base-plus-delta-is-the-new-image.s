## Linking base and delta gives byte for byte the image that linking the new library gives; the base is not touched.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %as --defsym VALUE=1 lib.s -o v1/lib.o && %as --defsym VALUE=2 lib.s -o v2/lib.o && %as app.s -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o && cp v1/libone.a base
# RUN: %spacer_ld app.o v1/libone.a -o image1 --spacer-atlas=a.atlas
# RUN: cp a.atlas b.atlas
# RUN: %spacer_ld app.o v2/libone.a -o image2 --spacer-atlas=a.atlas --spacer-delta=delta.o --spacer-delta-base=v1/libone.a
# RUN: %spacer_ld app.o v1/libone.a delta.o -o image3 --spacer-atlas=b.atlas
# RUN: cmp image2 image3 && cmp base v1/libone.a
# RUN: llvm-readelf -h -S -s delta.o | FileCheck %s
# CHECK: REL (Relocatable file)
# CHECK: changed

#--- lib.s
  .section .text.changed,"ax",@progbits
  .globl changed, same
  .type changed,@function
changed: movl $VALUE, %eax
  jmp same
  .size changed, . - changed
  .section .text.same,"ax",@progbits
  .type same,@function
same: addl $7, %eax
  ret
  .size same, . - same

#--- app.s
  .globl _start
_start: call changed
