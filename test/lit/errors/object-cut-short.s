## A library's object that ends in the middle is named, and the atlas learns nothing from it.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && mkdir %t && cd %t && %as %s -o whole.o && %as --defsym APP=1 %s -o app.o
# RUN: %spacer_ld app.o whole.o -o image --spacer-atlas=a.atlas --spacer-lib=one=whole.o && cp a.atlas before && rm image
# RUN: %python -c "d = open('whole.o', 'rb').read(); open('cut.o', 'wb').write(d[:len(d) - 100])"
# RUN: not %spacer_ld app.o cut.o -o image --spacer-atlas=a.atlas --spacer-lib=one=cut.o 2>&1 | FileCheck %s
# CHECK: error: {{.*}}cut.o
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
