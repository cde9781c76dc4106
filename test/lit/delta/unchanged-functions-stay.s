## When one function grows, every other one keeps its address, and the old place of the changed one keeps its bytes.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %as --defsym SIZE=4 lib.s -o v1/lib.o && %as --defsym SIZE=400 lib.s -o v2/lib.o && %as app.s -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o
# RUN: %spacer_ld app.o v1/libone.a -o image1 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: %spacer_ld app.o v2/libone.a -o image2 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-nm image1 | grep -w -e before -e after > stay1
# RUN: llvm-nm image2 | grep -w -e before -e after > stay2
# RUN: diff stay1 stay2
# RUN: llvm-nm image1 | grep -w grows > grows1
# RUN: llvm-nm image2 | grep -w grows > grows2
# RUN: not diff grows1 grows2
# RUN: llvm-objdump -d image2 | FileCheck %s
## The old body still lies between its neighbours.
# CHECK: movl $0x4,
# CHECK: movl $0x190,

#--- lib.s
.macro function name, size
  .section .text.\name,"ax",@progbits
  .globl \name
  .type \name,@function
\name: movl $\size, %eax
  .fill \size, 1, 0x90
  ret
  .size \name, . - \name
.endm
  function before, 3
  function grows, SIZE
  function after, 3

#--- app.s
  .globl _start
_start: call before
  call grows
  call after
