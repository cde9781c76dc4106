## A shared page on which nothing is live, behind all live ones, is not in the image.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as both.s -o both.o && %as one.s -o one.o
# RUN: %spacer_ld --gc-sections both.o libone.a -o both --spacer-atlas=a.atlas --spacer-trampolines=none
# RUN: %spacer_ld --gc-sections one.o libone.a -o one --spacer-atlas=a.atlas --spacer-trampolines=none
# RUN: llvm-objdump -d --no-show-raw-insn one | FileCheck %s --implicit-check-not='$0x7654321'
# CHECK: movl $0x1234567,
# RUN: llvm-objdump -d --no-show-raw-insn both | FileCheck %s --check-prefix=BOTH
# BOTH: section .spacer.text
# BOTH: movl $0x7654321,

## Each function begins a page and fills two, so the page of the second one's end holds nothing of the first.
#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f, g
  .p2align 12
  .type f,@function
f: movl $0x1234567, %eax
  .fill 8000, 1, 0x90
  ret
  .size f, . - f
  .section .text.g,"ax",@progbits
  .p2align 12
  .type g,@function
g: .fill 8000, 1, 0x90
  movl $0x7654321, %eax
  ret
  .size g, . - g

#--- both.s
  .globl _start
_start: call f
  call g

#--- one.s
  .globl _start
_start: call f
