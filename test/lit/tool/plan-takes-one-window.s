## The first of two recorded links made the shared atlas and so names its window, the second does not: --window gives both the same.
## A function with aligned data behind a local label, in a section of its own, keeps its alignment unless told otherwise.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: echo "%spacer_ld app.o libone.a -o a --spacer-atlas=x --spacer-window=0x400000:16M" > links
# RUN: echo "%spacer_ld app.o libone.a -o b --spacer-atlas=x" >> links
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas plan --atlas=p.atlas --link-file=links 2>&1 | FileCheck %s --check-prefix=TWO
# TWO: spacer: {{a|b}}: another window than {{a|b}}; give all links the same --spacer-window, or the plan --window
# RUN: %spacer atlas plan --atlas=p.atlas --window=0x2000000:16M --link-file=links | FileCheck %s
# CHECK: 0 functions stand closer
# RUN: %spacer atlas show p.atlas | FileCheck %s --check-prefix=WINDOW
# WINDOW: window 0x2000000:0x1000000
# RUN: %spacer_ld app.o libone.a -o a --spacer-atlas=p.atlas --spacer-mode=frozen && %python %S/Inputs/exits.py 7 ./a

#--- lib.s
  .section .text.pad,"ax",@progbits
  .globl pad
  .type pad,@function
pad: ret
  .size pad, . - pad
  .section .text.vec,"ax",@progbits
  .balign 16
  .globl vec
  .type vec,@function
vec: movaps .Lk(%rip), %xmm0
  movq %xmm0, %rax
  ret
  .balign 16
.Lk: .quad 7, 2
  .size vec, . - vec

#--- app.s
  .globl _start
_start: call pad
  call vec
  mov %eax, %edi
  mov $60, %eax
  syscall
