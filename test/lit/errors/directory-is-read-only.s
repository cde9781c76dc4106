## A link that must grow an atlas in a directory where nothing can be written fails by name.
# REQUIRES: ld.spacer, not-root
# RUN: rm -rf %t && mkdir -p %t/locked && cd %t && %as %s -o a.o && chmod 555 locked
# RUN: not %spacer_ld a.o -o image --spacer-atlas=locked/a.atlas 2>&1 | FileCheck %s
# CHECK: error: {{.*}}locked/a.atlas
# CHECK-NOT: error:
# RUN: chmod 755 locked && not ls locked/a.atlas && not ls image
  .globl _start
_start: ret
