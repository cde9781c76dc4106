## An atlas of a format that this linker does not know is refused with the version found, and left as it is.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && mkdir %t && cd %t && %as %s -o a.o && llvm-ar rcs libone.a a.o && %as --defsym APP=1 %s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas && rm image
# RUN: %python -c "import sqlite3; c = sqlite3.connect('a.atlas'); c.execute('pragma user_version = 99'); c.commit()"
# RUN: cp a.atlas before
# RUN: not %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s
# CHECK: error: {{.*}}a.atlas{{.*}}99
# CHECK-NOT: error:
# RUN: cmp a.atlas before && not ls image
.ifdef APP
  .globl _start
_start: call f
.else
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f
.endif
