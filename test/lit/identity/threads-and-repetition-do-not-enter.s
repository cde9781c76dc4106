## Linking the same inputs twice, and with another number of threads, gives the same bytes and the same atlas.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld --threads=1 app.o libone.a -o first --spacer-atlas=a.atlas
# RUN: %spacer_ld --threads=4 app.o libone.a -o again --spacer-atlas=a.atlas
# RUN: %spacer_ld --threads=4 app.o libone.a -o fresh --spacer-atlas=b.atlas
# RUN: cmp first again && cmp first fresh
# RUN: llvm-readelf -S first | FileCheck %s
# CHECK: .spacer.text

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: leaq text(%rip), %rax
  jmp g
  .size f, . - f
  .section .text.g,"ax",@progbits
  .type g,@function
g: movl counter(%rip), %eax
  ret
  .size g, . - g
  .section .rodata.text,"aMS",@progbits,1
text: .asciz "text"
  .section .data.counter,"aw",@progbits
  .type counter,@object
counter: .long 5
  .size counter, 4

#--- app.s
  .globl _start
_start: call f
