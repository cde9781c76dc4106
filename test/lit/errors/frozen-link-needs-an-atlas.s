## A frozen link without an atlas is an error which names the file; neither atlas nor image appears.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && mkdir %t && cd %t && %as %s -o a.o
# RUN: not %spacer_ld a.o -o image --spacer-atlas=absent.atlas --spacer-mode=frozen 2>&1 | FileCheck %s
# CHECK: error: {{.*}}absent.atlas
# CHECK-NOT: error:
# RUN: not ls absent.atlas && not ls image
  .globl _start
_start: ret
