## Two images on a planned atlas need fewer pages than first come, whatever order the plan was told of them in, and may not even grow it.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: mkdir v1 v2
# RUN: %as --defsym LIMIT=1 lib.s -o lib.o && llvm-ar rcs v1/libone.a lib.o
# RUN: %as --defsym LIMIT=2 lib.s -o lib.o && llvm-ar rcs v2/libone.a lib.o
# RUN: %as --defsym ONE=1 app.s -o one.o && %as --defsym ONE=0 app.s -o two.o

# RUN: echo "%spacer_ld one.o v1/libone.a -o one --gc-sections" > links
# RUN: echo "# the other one" >> links && echo "%spacer_ld two.o v2/libone.a -o two --gc-sections ;" >> links
# RUN: %spacer atlas plan --atlas=plan.atlas --link-file=links | FileCheck %s
# CHECK: pages {{ *}}first come planned ideal
# CHECK: text {{ *}}5 {{ *}}4 {{ *}}4
# CHECK: in this order
# CHECK: all
# CHECK: {{[1-9][0-9]*}} functions stand closer
# CHECK: 1 objects (4 bytes) whose content differs
# CHECK: plan.atlas: {{[0-9]+}} pages with {{[0-9]+}} contents
# RUN: not ls one && not ls two
# RUN: %spacer atlas check plan.atlas

# RUN: %spacer atlas plan --atlas=again.atlas --link="%spacer_ld two.o v2/libone.a -o y --gc-sections" --link="%spacer_ld one.o v1/libone.a -o x --gc-sections" --json > plan.json
# RUN: %python -c "import json; p = json.load(open('plan.json')); assert p['unplanned'] == 0 and p['images'] == ['y', 'x'], p"
# RUN: %spacer atlas export plan.atlas -o 1.dump && %spacer atlas export again.atlas -o 2.dump && cmp 1.dump 2.dump
# RUN: %spacer atlas import copy.atlas -i 1.dump && %spacer atlas check copy.atlas

## Frozen links find all of it; links that may grow it have nothing to add, in any order.
# RUN: cp plan.atlas before.atlas
# RUN: %spacer_ld two.o v2/libone.a -o two --gc-sections --spacer-atlas=plan.atlas --spacer-mode=frozen
# RUN: %spacer_ld one.o v1/libone.a -o one --gc-sections --spacer-atlas=plan.atlas --spacer-mode=frozen
# RUN: %spacer_ld two.o v2/libone.a -o two.grow --gc-sections --spacer-atlas=plan.atlas
# RUN: cmp plan.atlas before.atlas && cmp two two.grow
# RUN: %spacer verify one --atlas plan.atlas && %spacer verify two --atlas plan.atlas
# RUN: %python %S/Inputs/exits.py 61 ./one
# RUN: %python %S/Inputs/exits.py 62 ./two

# RUN: %spacer_ld one.o v1/libone.a -o one.first --gc-sections --spacer-atlas=first.atlas
# RUN: %spacer_ld two.o v2/libone.a -o two.first --gc-sections --spacer-atlas=first.atlas
# RUN: %python %S/Inputs/exits.py 61 ./one.first
# RUN: %spacer compare one two --json > planned.json
# RUN: %spacer compare one.first two.first --json > first.json
# RUN: %python -c "import json; p, f = (json.load(open(n))['distinctPages'] for n in ('planned.json', 'first.json')); assert p < f, (p, f)"

#--- lib.s
  .macro function name, n
  .section .text.\name,"ax",@progbits
  .globl \name
  .p2align 4
  .type \name,@function
\name:
  addl limit(%rip), %edi
  movl $\n, %eax
  .rept 328
  addl $0, %edi
  .endr
  ret
  .size \name, . - \name
  .endm
  .irp n, 0, 1, 2, 3, 4
  function both\n, \n
  function onlyone\n, 1\n
  function onlytwo\n, 2\n
  .endr
  .section .rodata.limit,"a",@progbits
  .globl limit
  .p2align 2
  .type limit,@object
limit: .long LIMIT
  .size limit, 4
  .section .rodata.same,"a",@progbits
  .globl same
  .type same,@object
same: .long 50
  .size same, 4

#--- app.s
  .globl _start
_start: movl same(%rip), %edi
  .if ONE
  addl $1, %edi
  .else
  subl $8, %edi
  .endif
  .irp n, 0, 1, 2, 3, 4
  call both\n
  .if ONE
  call onlyone\n
  .else
  call onlytwo\n
  .endif
  .endr
  movl $60, %eax
  syscall
