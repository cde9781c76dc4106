## A function that is hot in one image is an entry in all; which changes its identity, so the plan is made again.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o
# RUN: %as hot.s -o hot.o && %as cold.s -o cold.o
# RUN: %spacer atlas plan --atlas=p.atlas --link="%spacer_ld hot.o libone.a -o hot --call-graph-ordering-file=%t/profile" --link="%spacer_ld cold.o libone.a -o cold" --json > plan.json
# RUN: %python -c "import json; p = json.load(open('plan.json')); assert p['rounds'] == 2 and p['unplanned'] == 0, p"
# RUN: %spacer atlas check p.atlas
# RUN: %spacer atlas show p.atlas --slots | FileCheck %s
# CHECK: slotList
# CHECK-DAG: entry {{[0-9a-f]+}} one often
# CHECK-DAG: door {{[0-9a-f]+}} one twin

## The entry's function keeps its alignment, in either image.
# RUN: cp p.atlas before.atlas
# RUN: %spacer_ld cold.o libone.a -o cold --spacer-atlas=p.atlas
# RUN: %spacer_ld hot.o libone.a -o hot --spacer-atlas=p.atlas --call-graph-ordering-file=profile
# RUN: cmp p.atlas before.atlas
# RUN: llvm-nm hot cold | FileCheck %s --check-prefix=ENTRY
# ENTRY-COUNT-2: {{[0-9a-f]+}}0 T often
# RUN: %spacer verify hot --atlas p.atlas && %spacer verify cold --atlas p.atlas

#--- profile
user often 1000

#--- lib.s
## Two functions of the same bytes, which only an entry tells apart.
  .macro function name, target
  .section .text.\name,"ax",@progbits
  .globl \name
  .p2align 4
  .type \name,@function
\name: call \target
  call \target
  ret
  .size \name, . - \name
  .endm
  function user, often
  function other, twin
  .macro leaf name
  .section .text.\name,"ax",@progbits
  .globl \name
  .p2align 4
  .type \name,@function
\name: incl %edi
  .fill 20, 1, 0x90
  ret
  .size \name, . - \name
  .endm
  leaf often
  leaf twin

#--- hot.s
  .globl _start
_start: call user
  call other

#--- cold.s
  .globl _start
_start: call other
  call user
