## --order-file: functions and objects that a guest uses when it starts lie before all others, in that order, and so do their doors.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: echo "%spacer_ld app.o libone.a -o image --spacer-trampolines=door" > links
# RUN: %spacer atlas plan --atlas=plain.atlas --link-file=links | FileCheck %s --check-prefix=PLAIN
# PLAIN-NOT: lie first
# RUN: %spacer atlas plan --atlas=a.atlas --link-file=links --order-file=order | FileCheck %s
# CHECK: 4 functions and objects (25 bytes) lie first, for 6 names
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-mode=frozen --spacer-trampolines=door
# RUN: llvm-nm -n image | FileCheck %s --check-prefix=PLACES
# PLACES: 1000000 T third
# PLACES-NEXT: t yonder
# PLACES-NEXT: T first
# PLACES-NEXT: T second
# PLACES: R table
# PLACES-NEXT: R aside
# PLACES: yonder@spacer
# PLACES-NEXT: second@spacer
# RUN: %python %S/Inputs/exits.py 7 ./image

## Of several files the first mention counts.
# RUN: echo second > more
# RUN: %spacer atlas plan --atlas=b.atlas --link-file=links --order-file=more --order-file=order --json > b.json
# RUN: %python -c "import json; p = json.load(open('b.json')); assert (p['inTurn'], p['inTurnBytes']) == (5, 32), p"
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=b.atlas --spacer-mode=frozen --spacer-trampolines=door
# RUN: llvm-nm -n image | FileCheck %s --check-prefix=MORE
# MORE: 1000000 T second
# MORE-NEXT: T third

# RUN: echo nonsense > none
# RUN: %spacer atlas plan --atlas=c.atlas --link-file=links --order-file=none 2>&1 | FileCheck %s --check-prefix=NONE
# NONE: spacer: warning: none: no function or object of these names; expected symbols, one a line
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas plan --atlas=d.atlas --link-file=links --order-file=missing 2>&1 | FileCheck %s --check-prefix=MISSING
# MISSING: spacer: missing: No such file or directory
# RUN: not ls d.atlas

#--- order
# What a trace says; the image's own _start is private.
_start
third
yonder
nowhere

first
table.1234
#--- lib.s
  .macro function name, binding
  .section .text.\name,"ax",@progbits
  .\binding \name
  .p2align 4
  .type \name,@function
\name:
  .endm
  function first, globl
  incl %edi
  call second
  ret
  .size first, . - first
  function second, globl
  addl aside(%rip), %edi
  ret
  .size second, . - second
  function third, globl
  call yonder
  ret
  .size third, . - third
  function yonder, local
  addl table(%rip), %edi
  ret
  .size yonder, . - yonder
  .irp name, aside, table
  .section .rodata.\name,"a",@progbits
  .globl \name
  .p2align 2
  .type \name,@object
\name: .long 3
  .size \name, 4
  .endr

#--- app.s
  .globl _start
_start: xorl %edi, %edi
  call first
  call third
  movl $60, %eax
  syscall
