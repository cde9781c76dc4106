## Where no file can be made the link fails by name, and writes no image.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && mkdir %t && cd %t && %as %s -o a.o
# RUN: not %spacer_ld a.o -o image --spacer-atlas=/proc/self/a.atlas 2>&1 | FileCheck %s -DATLAS=/proc/self/a.atlas
# RUN: not %spacer_ld a.o -o image --spacer-atlas=absent/a.atlas 2>&1 | FileCheck %s -DATLAS=absent/a.atlas
# CHECK: error: {{.*}}[[ATLAS]]
# CHECK-NOT: error:
# RUN: not ls image
  .globl _start
_start: ret
