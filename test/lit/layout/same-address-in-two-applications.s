## Two applications of different size and order have each library function, string and object at the same address.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as small.s -o small.o && %as large.s -o large.o
# RUN: %spacer_ld small.o libone.a -o small --spacer-atlas=a.atlas
# RUN: %spacer_ld large.o libone.a -o large --spacer-atlas=a.atlas
# RUN: llvm-nm small | grep -w -e f -e g -e object -e zeroes > names1
# RUN: llvm-nm large | grep -w -e f -e g -e object -e zeroes > names2
# RUN: diff names1 names2 && FileCheck %s < names1
# CHECK: T f{{$}}
# CHECK: T g{{$}}
# CHECK: D object
# CHECK: B zeroes

#--- lib.s
  .globl f, g, object, zeroes
  .section .text.f,"ax",@progbits
  .type f,@function
f: movl object(%rip), %eax
  ret
  .size f, . - f
  .section .text.g,"ax",@progbits
  .type g,@function
g: movl zeroes(%rip), %eax
  ret
  .size g, . - g
  .section .data.object,"aw",@progbits
  .type object,@object
object: .long 4
  .size object, 4
  .section .bss.zeroes,"aw",@nobits
  .type zeroes,@object
zeroes: .zero 64
  .size zeroes, 64

#--- small.s
  .globl _start
_start: call f
  call g

#--- large.s
  .globl _start
  .fill 20000, 1, 0x90
_start: call g
  call f
  .data
  .fill 9000, 1, 1
