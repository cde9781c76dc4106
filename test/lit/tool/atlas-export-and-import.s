## An export is complete: importing it gives equal rows, and a link then shares the same pages. Import makes a new file or none.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as --defsym VALUE=1 lib.s -o lib.o && llvm-ar rcs libone.a lib.o
# RUN: %as --defsym LONG=0 app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: %spacer atlas export a.atlas -o dump && %spacer atlas export a.atlas | diff dump -
# RUN: %spacer atlas import b.atlas -i dump && %spacer atlas export b.atlas | diff dump -
# RUN: %spacer atlas check b.atlas | FileCheck %s --check-prefix=CHECKED
# CHECKED: b.atlas: all is well
# RUN: %spacer verify image --atlas b.atlas
# RUN: %spacer_ld app.o libone.a -o again --spacer-atlas=b.atlas --spacer-mode=frozen && cmp image again

# RUN: cp b.atlas before
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas import b.atlas -i dump 2>&1 | FileCheck %s --check-prefix=EXISTS
# EXISTS: spacer: dump:1: b.atlas: exists, import makes a new atlas
# RUN: cmp before b.atlas

# RUN: head -n 12 dump > cut
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas import c.atlas -i cut 2>&1 | FileCheck %s --check-prefix=CUT
# CUT: spacer: cut:{{[0-9]+}}: ends without the line that says so: not a whole dump
# RUN: sed 's/"variant":0/"variant":3/' dump > odd
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas import c.atlas -i odd 2>&1 | FileCheck %s --check-prefix=ODD
# ODD: spacer: odd:{{[0-9]+}}: variant 3, expected 0
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas import c.atlas -i app.s 2>&1 | FileCheck %s --check-prefix=TEXT
# TEXT: spacer: app.s:1: {{.*}}parse error

## Lines that are whole but cannot be true together: no file, and one line that says what is wrong.
# RUN: sed '/"part"/s/"bytes":[0-9]*/"bytes":99999999999/' dump > huge
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas import c.atlas -i huge 2>&1 | FileCheck %s --check-prefix=HUGE
# HUGE: spacer: huge:{{[0-9]+}}: rows that cannot be: damaged: part 0x
# RUN: %python -c "import re; lines = [l for l in open('dump') if not l.startswith('{\"part\"')]; print(''.join(lines[:-1]) + '{\"end\":%%d}' %% (len(lines) - 1))" > apart
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas import c.atlas -i apart 2>&1 | FileCheck %s --check-prefix=APART
# APART: spacer: apart:{{[0-9]+}}: rows that cannot be: {{.*}} in no part of its region
# RUN: %python -c "import re; print(re.sub(r'(\"part\".*\"next\":\"0x)([0-9a-f]+)', lambda m: m[1] + hex(int(m[2], 16) - 4096)[2:], open('dump').read()), end='')" > less
# RUN: %python %S/Inputs/exits.py 2 %spacer atlas import c.atlas -i less 2>&1 | FileCheck %s --check-prefix=LESS
# LESS: spacer: less:{{[0-9]+}}: rows that cannot be:
# RUN: not ls c.atlas

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
