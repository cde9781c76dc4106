## `-r` makes an object, not an image: the flags are accepted and do nothing.
# REQUIRES: ld.spacer, stock-ld
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o
# RUN: %spacer_ld -r lib.o -o merged1.o --spacer-atlas=a.atlas
# RUN: %stock_ld -r lib.o -o merged2.o
# RUN: llvm-objcopy -R .comment merged1.o && llvm-objcopy -R .comment merged2.o
# RUN: cmp merged1.o merged2.o

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
f: call g
  ret
