## The application calls a function itself, and takes its address from the slot that shared code has, so that pointers compare equal everywhere.
## Where no shared code refers to the function there is no slot, and the address is the place.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-nm image > out && llvm-objdump -d --no-show-raw-insn image >> out && FileCheck %s < out
# CHECK-DAG: [[#%x,BODY:]] T f{{$}}
# CHECK-DAG: [[#%x,ALONE:]] T alone{{$}}
# CHECK-DAG: [[#%x,SLOT:]] {{[tT]}} f@spacer
# CHECK-NOT: alone@spacer
# CHECK:      <_start>:
# CHECK-NEXT: callq 0x[[#BODY]] <f>
# CHECK-NEXT: movl $0x[[#SLOT]], %eax
# CHECK-NEXT: movl $0x[[#ALONE]], %eax
# CHECK-NEXT: callq 0x{{[0-9a-f]+}} <caller>

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movl $1, %eax
  ret
  .size f, . - f

  .section .text.caller,"ax",@progbits
  .globl caller
  .type caller,@function
caller: jmp f
  .size caller, . - caller

  .section .text.alone,"ax",@progbits
  .globl alone
  .type alone,@function
alone: movl $2, %eax
  ret
  .size alone, . - alone

#--- app.s
  .globl _start
_start: call f
  movl $f, %eax
  movl $alone, %eax
  call caller
