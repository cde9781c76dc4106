## Without a --spacer flag the linker is lld: the same bytes, but for the name in .comment.
# REQUIRES: ld.spacer, stock-ld
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld --gc-sections --icf=all -O2 app.o libone.a -o image1
# RUN: %stock_ld --gc-sections --icf=all -O2 app.o libone.a -o image2
# RUN: llvm-objcopy -R .comment image1 && llvm-objcopy -R .comment image2
# RUN: cmp image1 image2

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
f: leaq text(%rip), %rax
  ret
  .section .rodata.str1.1,"aMS",@progbits,1
text: .asciz "text"

#--- app.s
  .globl _start
_start: call f
