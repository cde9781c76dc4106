## Text, rodata, data, bss and thread-local units go to segments with the permissions of their kind, at page boundaries.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-readelf -lSW image | FileCheck %s --implicit-check-not=RWE --implicit-check-not=WAX
# CHECK-DAG: .spacer.text{{.*}} PROGBITS {{[0-9a-f]+}}000 {{.*}} AX
# CHECK-DAG: .spacer.rodata{{.*}} PROGBITS {{[0-9a-f]+}}000 {{.*}} A
# CHECK-DAG: .spacer.data{{.*}} PROGBITS {{[0-9a-f]+}}000 {{.*}} WA
# CHECK-DAG: .spacer.bss{{.*}} NOBITS {{[0-9a-f]+}}000 {{.*}} WA
# CHECK-DAG: LOAD {{.*}} R E 0x1000
# CHECK-DAG: LOAD {{.*}} RW 0x1000

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movq pointer(%rip), %rax
  movl object(%rip), %eax
  movl zeroes(%rip), %eax
  ret
  .size f, . - f
  .section .text.g,"ax",@progbits
  .globl g
  .type g,@function
g: movl %fs:local@tpoff, %eax
  ret
  .size g, . - g
.macro object name
  .p2align 3
  .type \name,@object
\name: .quad 0
  .size \name, 8
.endm
  .section .rodata.pointer,"a",@progbits
  object pointer
  .section .data.object,"aw",@progbits
  object object
  .section .bss.zeroes,"aw",@nobits
  object zeroes
  .section .tbss.local,"awT",@nobits
  object local

#--- app.s
  .globl _start
_start: call f
  call g
