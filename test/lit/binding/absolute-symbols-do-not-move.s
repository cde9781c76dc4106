## A GOT slot for an absolute symbol holds its value also in a static-pie, and the start-up code does not relocate it.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld -pie --no-dynamic-linker app.o libone.a -o image --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-readelf -SrW image | FileCheck %s --check-prefix=RELOCATIONS --implicit-check-not=1234
# RUN: llvm-objdump -s image | FileCheck %s
## One for the object that does move.
# RELOCATIONS: .spacer.text
# RELOCATIONS: R_X86_64_RELATIVE
# RELOCATIONS-NOT: R_X86_64_RELATIVE
# CHECK: 34120000 00000000

#--- lib.s
  .section .text.take,"ax",@progbits
  .globl take
  .type take,@function
take: movq constant@GOTPCREL(%rip), %rax
  movq object@GOTPCREL(%rip), %rcx
  ret
  .size take, . - take
  .section .data.object,"aw",@progbits
  .globl object
  .type object,@object
object: .quad 5
  .size object, 8

#--- app.s
  .globl _start, constant
constant = 0x1234
_start: call take
