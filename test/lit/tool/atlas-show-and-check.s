## `spacer atlas show` counts what links have added; `check` names rows that cannot be.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as --defsym VALUE=1 lib.s -o lib.o && llvm-ar rcs libone.a lib.o
# RUN: %as --defsym LONG=0 app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: %spacer atlas show a.atlas --units --places --slots --pages | FileCheck %s
# RUN: %spacer atlas show a.atlas --json --units | %python -c "import json, sys; a = json.load(sys.stdin); assert a['units'] == len(a['unitList']) == 2, a"
# CHECK: a.atlas: atlas {{[0-9a-f]+}} for ELF machine 62, window 0x1000000:0x7000000
# CHECK-NEXT: 2 units, 3 places, 1 slots, 4 pages with 4 contents, 5 extents
# CHECK-NEXT: region {{ *}}base {{ *}}parts pages used extents
# CHECK: text {{ *}}[[TEXT:0x10[0-9a-f]+0000]] {{ *}}1 {{ *}}16 {{ *}}1 {{ *}}1
# CHECK: one {{ *}}2 {{ *}}3
# CHECK: unitList
# CHECK: 0x10{{[0-9a-f]+}} {{[0-9]+}} text {{[0-9a-f]+}} one {{add|twice}}
# CHECK: placeList
# CHECK-DAG: data 0 {{[0-9a-f]+}} one counter
# CHECK-DAG: bss 0 {{[0-9a-f]+}} one room
# CHECK: slotList
# CHECK: 8 door {{[0-9a-f]+}} one {{add|twice}}
# CHECK: pageList
# CHECK: [[TEXT]] 0 {{[0-9a-f]+}}

# RUN: %spacer atlas check a.atlas
# RUN: %python -c "import sqlite3; c = sqlite3.connect('a.atlas'); c.execute('update unit set address = (select min(address) from unit)'); c.commit()"
# RUN: %python %S/Inputs/exits.py 1 %spacer atlas check a.atlas | FileCheck %s --check-prefix=OVERLAP
# OVERLAP: a.atlas: unit {{.*}} overlaps unit
# RUN: %python -c "import sqlite3; c = sqlite3.connect('a.atlas'); c.execute('update unit set address = 64'); c.commit()"
# RUN: %python %S/Inputs/exits.py 1 %spacer atlas check a.atlas | FileCheck %s --check-prefix=OUTSIDE
# OUTSIDE: a.atlas: unit {{.*}}: outside the used parts of the text region

#--- lib.s
  .section .text.add,"ax",@progbits
  .globl add
  .type add,@function
add: movl counter(%rip), %eax
  addl limit(%rip), %eax
  ret
  .size add, . - add
  .section .text.twice,"ax",@progbits
  .globl twice
  .type twice,@function
twice: call add
  jmp add
  .size twice, . - twice
  .section .data.counter,"aw",@progbits
  .globl counter
  .type counter,@object
counter: .long VALUE
  .size counter, 4
  .section .rodata.limit,"a",@progbits
  .globl limit
  .type limit,@object
limit: .long 7
  .size limit, 4
  .section .bss.room,"aw",@nobits
  .globl room
  .type room,@object
room: .zero 100
  .size room, 100

#--- app.s
  .globl _start
_start: call twice
  leaq room(%rip), %rax
  .if LONG
  .fill 5000, 1, 0x90
  .endif
