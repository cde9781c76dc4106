## A frozen link uses what the atlas has; what it lacks goes private, and the file stays the same to the byte.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as f.s -o f.o && %as g.s -o g.o && %as one.s -o one.o && %as both.s -o both.o
# RUN: llvm-ar rcs libone.a f.o && mkdir new && llvm-ar rcs new/libone.a f.o g.o
# RUN: %spacer_ld one.o libone.a -o one --spacer-atlas=a.atlas --spacer-window=0x4000000:4M --spacer-trampolines=door
# RUN: cp a.atlas before
# RUN: %spacer_ld both.o new/libone.a -o both --spacer-atlas=a.atlas --spacer-mode=frozen --spacer-trampolines=door
# RUN: cmp a.atlas before
# RUN: llvm-nm one | grep ' f$' > f1 && llvm-nm both | grep ' f$' > f2 && diff f1 f2
# RUN: llvm-nm both | FileCheck %s
# CHECK: {{^}}00000000{{04[0-3][0-9a-f]+}} T f{{$}}
# CHECK: {{^}}00000000{{002[0-9a-f]+}} T g{{$}}

#--- f.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movl $1, %eax
  ret
  .size f, . - f

#--- g.s
  .section .text.g,"ax",@progbits
  .globl g
  .type g,@function
g: movl $2, %eax
  ret
  .size g, . - g

#--- one.s
  .globl _start
_start: call f

#--- both.s
  .globl _start
_start: call f
  call g
