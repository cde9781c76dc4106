## Half an atlas is refused by name, and left as it is.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && mkdir %t && cd %t && %as %s -o a.o && llvm-ar rcs libone.a a.o && %as --defsym APP=1 %s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=good.atlas
# RUN: %python -c "d = open('good.atlas', 'rb').read(); open('cut.atlas', 'wb').write(d[:len(d) // 2 + 100])"
# RUN: cp cut.atlas before && cp image image.before
# RUN: not %spacer_ld app.o libone.a -o image --spacer-atlas=cut.atlas 2>&1 | FileCheck %s
# CHECK: error: {{.*}}cut.atlas
# CHECK-NOT: error:
# RUN: cmp cut.atlas before
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
