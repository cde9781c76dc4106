## A weak function that no input defines is for the dynamic linker to find when the image is a dynamic executable.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %as so.s -o so.o && %spacer_ld -shared so.o -o so.so
# RUN: %spacer_ld -pie --dynamic-linker=/ld.so app.o libone.a so.so -o image1 --spacer-atlas=a.atlas -z dynamic-undefined-weak
# RUN: %spacer_ld -pie --dynamic-linker=/ld.so app.o libone.a -o image2 --spacer-atlas=a.atlas -z dynamic-undefined-weak
# RUN: llvm-readelf -SrW image1 > out1 && llvm-objdump -d --no-show-raw-insn image1 >> out1 && FileCheck %s < out1
# RUN: llvm-readelf -SrW image2 > out2 && llvm-objdump -d --no-show-raw-insn image2 >> out2 && FileCheck %s < out2
# CHECK:       .spacer.text
# CHECK:       {{^0*}}[[#%x,WORD:]] {{.*}} R_X86_64_GLOB_DAT {{.*}} optional
# CHECK-LABEL: <take>:
# CHECK-NEXT:  movq {{.*}}# 0x[[#WORD]]

#--- lib.s
  .section .text.take,"ax",@progbits
  .globl take
  .type take,@function
take: movq optional@GOTPCREL(%rip), %rax
  ret
  .size take, . - take
  .section .text.other,"ax",@progbits
  .globl other
  .type other,@function
other: movl $1, %eax
  ret
  .size other, . - other
  .weak optional

#--- so.s
  .globl optional
  .type optional,@function
optional: ret
  .size optional, . - optional

#--- app.s
  .globl _start
_start: call take
  call other
