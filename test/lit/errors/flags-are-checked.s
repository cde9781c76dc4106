## A wrong value, an unknown flag, a malformed window or library: one error each, with the flag in it.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && mkdir %t && cd %t && %as %s -o a.o
# RUN: not %spacer_ld a.o -o image --spacer-atlas=a.atlas --spacer-mode=thaw 2>&1 | FileCheck %s -DFLAG=spacer-mode
# RUN: not %spacer_ld a.o -o image --spacer-atlas=a.atlas --spacer-trampolines=x 2>&1 | FileCheck %s -DFLAG=spacer-trampolines
# RUN: not %spacer_ld a.o -o image --spacer-atlas=a.atlas --spacer-window=12 2>&1 | FileCheck %s -DFLAG=spacer-window
# RUN: not %spacer_ld a.o -o image --spacer-atlas=a.atlas --spacer-lib=one 2>&1 | FileCheck %s -DFLAG=spacer-lib
# RUN: not %spacer_ld a.o -o image --spacer-atlas=a.atlas --spacer-max-segments=0 2>&1 | FileCheck %s -DFLAG=spacer-max-segments
# RUN: not %spacer_ld a.o -o image --spacer-atlas=a.atlas --spacer-max-segments=many 2>&1 | FileCheck %s -DFLAG=spacer-max-segments
# RUN: not %spacer_ld a.o -o image --spacer-atlas=a.atlas --spacer-nonsense 2>&1 | FileCheck %s -DFLAG=spacer-nonsense
# RUN: not %spacer_ld a.o -o image --spacer-mode=grow 2>&1 | FileCheck %s -DFLAG=spacer-atlas
# CHECK: error: {{.*}}[[FLAG]]
# CHECK-NOT: error:
# RUN: not ls a.atlas && not ls image
  .globl _start
_start: ret
