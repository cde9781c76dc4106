## --gc-sections drops shared pages, not parts of them: an image holds its page's dead functions, even ones it never saw.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as f.s -o f.o && %as g.s -o g.o && %as both.s -o both.o && %as one.s -o one.o
# RUN: llvm-ar rcs libone.a f.o g.o
# RUN: %spacer_ld --gc-sections both.o libone.a -o both --spacer-atlas=a.atlas --spacer-trampolines=none
# RUN: %spacer_ld --gc-sections one.o libone.a -o one --spacer-atlas=a.atlas --spacer-trampolines=none
# RUN: llvm-objdump -d --no-show-raw-insn both | grep movl > code1
# RUN: llvm-objdump -d --no-show-raw-insn one | grep movl > code2
# RUN: diff code1 code2 && FileCheck %s < code2
# CHECK-DAG: movl $0x1234567,
# CHECK-DAG: movl $0x7654321,

#--- f.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movl $0x1234567, %eax
  ret
  .size f, . - f

#--- g.s
  .section .text.g,"ax",@progbits
  .globl g
  .type g,@function
g: movl $0x7654321, %eax
  ret
  .size g, . - g

#--- both.s
  .globl _start
_start: call f
  call g

#--- one.s
  .globl _start
_start: call g
