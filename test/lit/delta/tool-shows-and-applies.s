## `spacer delta` makes, shows and applies deltas; the result of a chain is the new file itself.
# REQUIRES: spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as --defsym VALUE=1 lib.s -o 1.o && %as --defsym VALUE=2 lib.s -o 2.o && %as --defsym VALUE=3 lib.s -o 3.o
# RUN: %spacer delta 1.o 2.o -o d12.o --library one && %spacer delta 2.o 3.o -o d23.o --library one
# RUN: %spacer delta --apply 1.o d23.o d12.o -o made.o && cmp made.o 3.o
# RUN: %spacer delta --show d12.o | FileCheck %s
# CHECK: d12.o: delta of one, {{.*}} 1 units changed (6 bytes), 0 new (0 bytes), 1 removed, 0 moved
# CHECK: changed .text.changed changed 6
# CHECK: removed gone
# RUN: %spacer delta --show d12.o --json | FileCheck %s --check-prefix=JSON
# JSON: "library": "one"
# JSON: "changed": 1
# RUN: not %spacer delta --apply 3.o d12.o -o bad.o 2>&1 | FileCheck %s --check-prefix=WRONG
# WRONG: spacer: d12.o: delta of one against base {{[0-9a-f]+}} ({{[0-9]+}} bytes), but 3.o is {{[0-9a-f]+}}
# RUN: not %spacer delta 1.o lib.s -o bad.o 2>&1 | FileCheck %s --check-prefix=TEXT
# TEXT: spacer: lib.s: neither an object file nor an archive of them
# RUN: test ! -e bad.o

#--- lib.s
  .section .text.changed,"ax",@progbits
  .globl changed
changed: movl $VALUE, %eax
  ret
.if VALUE == 1
  .section .text.gone,"ax",@progbits
  .globl gone
gone: ret
.endif
