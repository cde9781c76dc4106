## A function that changes keeps its slot: shared callers are the same bytes at the same place in both versions.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %as --defsym VALUE=1 lib.s -o v1/lib.o && %as --defsym VALUE=2 lib.s -o v2/lib.o && %as app.s -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o
# RUN: %spacer_ld app.o v1/libone.a -o image1 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: %spacer_ld app.o v2/libone.a -o image2 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-nm image1 | grep -e @spacer -e ' caller$' > slots1
# RUN: llvm-nm image2 | grep -e @spacer -e ' caller$' > slots2
# RUN: diff slots1 slots2
# RUN: llvm-nm image1 | grep ' callee$' > callee1
# RUN: llvm-nm image2 | grep ' callee$' > callee2
# RUN: not diff callee1 callee2
# RUN: FileCheck %s < slots1
# CHECK: callee@spacer

#--- lib.s
  .section .text.caller,"ax",@progbits
  .globl caller, callee
  .type caller,@function
caller: jmp callee
  .size caller, . - caller
  .section .text.callee,"ax",@progbits
  .type callee,@function
callee: movl $VALUE, %eax
  ret
  .size callee, . - callee

#--- app.s
  .globl _start
_start: call caller
