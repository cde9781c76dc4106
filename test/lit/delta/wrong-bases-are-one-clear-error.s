## A delta without its base ends the link with one line that says what was expected and what was found.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2 v3
# RUN: %as --defsym VALUE=1 lib.s -o v1/lib.o && %as --defsym VALUE=2 lib.s -o v2/lib.o && %as --defsym VALUE=3 lib.s -o v3/lib.o
# RUN: %as app.s -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o && llvm-ar rcs v3/libone.a v3/lib.o
# RUN: %spacer_ld app.o v2/libone.a -o new --spacer-atlas=a.atlas --spacer-delta=fix.o --spacer-delta-base=v1/libone.a
# RUN: not %spacer_ld app.o v3/libone.a fix.o -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s --check-prefix=OTHER
# RUN: not %spacer_ld app.o v3/libone.a fix.o -o image 2>&1 | FileCheck %s --check-prefix=OTHER
# RUN: not %spacer_ld app.o v2/libone.a fix.o -o image 2>&1 | FileCheck %s --check-prefix=DONE
# RUN: not %spacer_ld app.o fix.o -o image 2>&1 | FileCheck %s --check-prefix=NONE
# RUN: test ! -e image
# OTHER: error: fix.o: delta of one against base {{[0-9a-f]+}}, but v3/libone.a is {{[0-9a-f]+$}}
# OTHER-NOT: error
# DONE: error: fix.o: delta of one against base {{[0-9a-f]+}}, but v2/libone.a is already what it makes of it
# DONE-NOT: error
# NONE: error: fix.o: delta of one against base {{[0-9a-f]+}}, but no input is libone.a
# NONE-NOT: error

## So does a delta that lost its end, that another tool rewrote, or that is hidden in an archive.
# RUN: head -c -10 fix.o > cut.o
# RUN: not %spacer_ld app.o v1/libone.a cut.o -o image 2>&1 | FileCheck %s --check-prefix=CUT
# CUT: error: cut.o: delta object cut short: it has {{[0-9]+}} bytes, its recipe ends at {{[0-9]+$}}
# CUT-NOT: error
# RUN: llvm-objcopy --strip-debug fix.o stripped.o
# RUN: not %spacer_ld app.o v1/libone.a stripped.o -o image 2>&1 | FileCheck %s --check-prefix=REWRITTEN
# REWRITTEN: error: stripped.o: {{.*}}
# REWRITTEN-NOT: error

## The flags that write a delta need each other, and an input that took the base's place.
# RUN: not %spacer_ld app.o v2/libone.a -o image --spacer-atlas=a.atlas --spacer-delta=d.o 2>&1 | FileCheck %s --check-prefix=FLAG
# FLAG: --spacer-delta=FILE and --spacer-delta-base=BASE need each other
# RUN: cp v1/libone.a libtwo.a
# RUN: not %spacer_ld app.o v2/libone.a -o image --spacer-atlas=a.atlas --spacer-delta=d.o --spacer-delta-base=libtwo.a 2>&1 | FileCheck %s --check-prefix=STRAY
# STRAY: error: --spacer-delta-base=libtwo.a: no input is named libtwo.a or is library two
# RUN: test ! -e image && test ! -e d.o

#--- lib.s
  .section .text.changed,"ax",@progbits
  .globl changed
  .type changed,@function
changed: movl $VALUE, %eax
  ret
  .size changed, . - changed

#--- app.s
  .globl _start
_start: call changed
