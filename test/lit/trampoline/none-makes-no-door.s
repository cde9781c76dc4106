## With --spacer-trampolines=none shared code calls shared code directly, and no door section exists.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-trampolines=none
# RUN: llvm-readelf -SW image | FileCheck %s --implicit-check-not=.spacer.door
# RUN: llvm-objdump -d --no-show-raw-insn image | FileCheck %s --check-prefix=CALL
# CHECK: .spacer.text
# CALL-LABEL: <outer>:
# CALL-NEXT:  callq {{.*}} <inner{{(@spacer)?}}>

#--- lib.s
  .section .text.outer,"ax",@progbits
  .globl outer, inner
  .type outer,@function
outer: call inner
  ret
  .size outer, . - outer
  .section .text.inner,"ax",@progbits
  .type inner,@function
inner: movl $1, %eax
  ret
  .size inner, . - inner

#--- app.s
  .globl _start
_start: call outer
