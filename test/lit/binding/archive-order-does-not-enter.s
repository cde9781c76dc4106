## Two members have the same name and the same local symbols: the order of an archive and of its use moves neither, and
## the atlas stays as it was.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir 1 2 a b
# RUN: %as --defsym STEP=1 lib.s -o 1/util.o && %as --defsym STEP=2 lib.s -o 2/util.o
# RUN: llvm-ar qcs a/libone.a 1/util.o && llvm-ar qs a/libone.a 2/util.o
# RUN: llvm-ar qcs b/libone.a 2/util.o && llvm-ar qs b/libone.a 1/util.o
# RUN: %as app.s -o app.o && %as --defsym SWAP=1 app.s -o swapped.o
# RUN: %spacer_ld app.o a/libone.a -o image1 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: %spacer_ld app.o b/libone.a -o image2 --spacer-atlas=a.atlas --spacer-trampolines=door --spacer-mode=frozen
# RUN: %spacer_ld swapped.o b/libone.a -o image3 --spacer-atlas=a.atlas --spacer-trampolines=door --spacer-mode=frozen
# RUN: ./image1 && ./image2 && ./image3
# RUN: llvm-objdump -s -j .spacer.text.0 image1 | tail -n +3 > text1
# RUN: llvm-objdump -s -j .spacer.text.0 image2 | tail -n +3 > text2 && cmp text1 text2
# RUN: llvm-objdump -s -j .spacer.text.0 image3 | tail -n +3 > text3 && cmp text1 text3

#--- lib.s
.macro functions n
  .section .text.add\n,"ax",@progbits
  .globl add\n
  .type add\n,@function
add\n: addl $\n, count(%rip)
  movl count(%rip), %eax
  ret
  .size add\n, . - add\n
.endm
.if STEP == 1
  functions 1
.else
  functions 2
.endif
  .section .bss.count,"aw",@nobits
  .type count,@object
count: .long 0
  .size count, 4

#--- app.s
  .globl _start
_start:
.ifdef SWAP
  call add2
  call add1
.else
  call add1
  call add2
.endif
  call add2
  movl %eax, %ebx
  call add1
## The counters are 4 and 2.
  leal -6(%rax,%rbx), %edi
  movl $60, %eax
  syscall
