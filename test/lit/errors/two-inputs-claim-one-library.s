## Two different archives of one library's name are an error that names both.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir here there
# RUN: %as f.s -o f.o && %as g.s -o g.o && %as app.s -o app.o
# RUN: llvm-ar rcs here/libone.a f.o && llvm-ar rcs there/libone.a g.o
# RUN: not %spacer_ld app.o here/libone.a there/libone.a -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s
# CHECK: error: {{.*}}one{{.*}}here/libone.a{{.*}}there/libone.a
# CHECK-NOT: error:
# RUN: not ls image

#--- f.s
  .globl f
f: ret

#--- g.s
  .globl g
g: ret

#--- app.s
  .globl _start
_start: call f
  call g
