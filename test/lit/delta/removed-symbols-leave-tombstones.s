## A function that the new version lacks is not found again in the base: a weak reference to it is null.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %as --defsym GONE=0 lib.s -o v1/lib.o && %as --defsym GONE=1 lib.s -o v2/lib.o && %as app.s -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o
# RUN: %spacer_ld app.o v1/libone.a -o image1 --spacer-atlas=a.atlas
# RUN: cp a.atlas b.atlas
# RUN: %spacer_ld app.o v2/libone.a -o image2 --spacer-atlas=a.atlas --spacer-delta=delta.o --spacer-delta-base=v1/libone.a
# RUN: %spacer_ld app.o v1/libone.a delta.o -o image3 --spacer-atlas=b.atlas
# RUN: cmp image2 image3
# RUN: llvm-objdump -d --no-show-raw-insn image3 | FileCheck %s
# CHECK-LABEL: <_start>:
# CHECK:       movl $0x0, %eax
# RUN: llvm-readelf -p .spacer.tombstones delta.o | FileCheck %s --check-prefix=TOMB
# TOMB: {{^}}[     0] gone{{$}}

#--- lib.s
  .section .text.stays,"ax",@progbits
  .globl stays
  .type stays,@function
stays: ret
  .size stays, . - stays
.if GONE == 0
  .section .text.gone,"ax",@progbits
  .globl gone
  .type gone,@function
gone: ret
  .size gone, . - gone
.endif

#--- app.s
  .globl _start
  .weak gone
_start: movl $gone, %eax
  call stays
