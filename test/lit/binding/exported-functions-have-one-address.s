## What a dynamic executable exports has the address that its symbol table says, for shared code and tables, too.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %as so.s -o so.o && %spacer_ld -shared so.o -o so.so
# RUN: %spacer_ld --dynamic-linker=/ld.so app.o libone.a so.so -o image --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-readelf -W --dyn-syms image > out && llvm-objdump -d --no-show-raw-insn image >> out && FileCheck %s < out
# CHECK:       {{0*}}[[#%x,CALLBACK:]] {{.*}} FUNC {{.*}} callback
# CHECK-LABEL: <_start>:
# CHECK:       movl $0x[[#CALLBACK]], %eax
# CHECK-LABEL: <take>:
# CHECK-NEXT:  movl $0x[[#CALLBACK]], %eax

#--- lib.s
  .section .text.callback,"ax",@progbits
  .globl callback
  .type callback,@function
callback: leal 1(%rdi), %eax
  ret
  .size callback, . - callback
  .section .text.a_take,"ax",@progbits
  .globl take
  .type take,@function
take: movl $callback, %eax
  ret
  .size take, . - take

#--- so.s
  .globl ask
  .type ask,@function
ask: movq callback@GOTPCREL(%rip), %rax
  ret
  .size ask, . - ask

#--- app.s
  .section .text.z_start,"ax",@progbits
  .globl _start
_start: call take
  movl $callback, %eax
