## The application calls a function itself, and takes its address from the slot, so that pointers compare equal everywhere.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-nm image > out && llvm-objdump -d --no-show-raw-insn image >> out && FileCheck %s < out
# CHECK:      [[#%x,BODY:]] T f{{$}}
# CHECK-NEXT: [[#%x,SLOT:]] {{[tT]}} f@spacer
# CHECK:      <_start>:
# CHECK-NEXT: callq 0x[[#BODY]] <f>
# CHECK-NEXT: movl $0x[[#SLOT]], %eax

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movl $1, %eax
  ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
  movl $f, %eax
