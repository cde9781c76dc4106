## A section that is both writable and executable is left where a link without an atlas puts it: code that changes itself works.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: llvm-objdump -dr --no-show-raw-insn image | FileCheck %s
# RUN: ./image
# CHECK:      Disassembly of section .text:
# CHECK:      <counting>:
# CHECK:      Disassembly of section .spacer.text
# CHECK:      <constant>:

#--- lib.s
  .section .text.counting,"awx",@progbits
  .globl counting
  .type counting,@function
counting: incl 1f + 1(%rip)
1: movl $7, %eax
  ret
  .size counting, . - counting
  .section .text.constant,"ax",@progbits
  .globl constant
  .type constant,@function
constant: movl $8, %eax
  ret
  .size constant, . - constant

#--- app.s
## Exits with 0 if the second call gives 9.
  .globl _start
_start: call constant
  call counting
  call counting
  leal -9(%rax), %edi
  movl $60, %eax
  syscall
