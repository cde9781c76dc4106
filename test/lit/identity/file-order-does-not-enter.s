## The order of an archive's members moves nothing that the atlas has.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir other
# RUN: %as f.s -o f.o && %as g.s -o g.o && %as app.s -o app.o
# RUN: llvm-ar rcs libone.a f.o g.o && llvm-ar rcs other/libone.a g.o f.o
# RUN: %spacer_ld app.o libone.a -o image1 --spacer-atlas=a.atlas
# RUN: %spacer_ld app.o other/libone.a -o image2 --spacer-atlas=a.atlas
# RUN: llvm-nm image1 > names1 && llvm-nm image2 > names2 && diff names1 names2

#--- f.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movl $1, %eax
  ret
  .size f, . - f

#--- g.s
  .section .text.g,"ax",@progbits
  .globl g
  .type g,@function
g: movl $2, %eax
  ret
  .size g, . - g

#--- app.s
  .globl _start
_start: call g
  call f
