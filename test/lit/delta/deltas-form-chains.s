## Base and two deltas, in any order, are the third version; without an atlas too, and for a plain object as for an archive.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2 v3
# RUN: %as --defsym VALUE=1 lib.s -o v1/lib.o && %as --defsym VALUE=2 lib.s -o v2/lib.o && %as --defsym VALUE=3 lib.s -o v3/lib.o
# RUN: %as app.s -o app.o
# RUN: %spacer_ld app.o v1/lib.o -o image1 --spacer-atlas=a.atlas --spacer-lib=one=lib.o
# RUN: %spacer_ld app.o v2/lib.o -o image2 --spacer-atlas=a.atlas --spacer-lib=one=lib.o --spacer-delta=d12.o --spacer-delta-base=v1/lib.o
# RUN: cp a.atlas b.atlas && cp a.atlas c.atlas
# RUN: %spacer_ld app.o v3/lib.o -o image3 --spacer-atlas=a.atlas --spacer-lib=one=lib.o --spacer-delta=d23.o --spacer-delta-base=v2/lib.o
# RUN: %spacer_ld app.o v1/lib.o d12.o d23.o -o chain --spacer-atlas=b.atlas --spacer-lib=one=lib.o
# RUN: cmp image3 chain
# RUN: %spacer_ld d23.o app.o d12.o v1/lib.o -o mixed --spacer-atlas=c.atlas --spacer-lib=one=lib.o
# RUN: cmp image3 mixed
# RUN: %spacer_ld app.o v3/lib.o -o plain3 && %spacer_ld app.o d23.o d12.o v1/lib.o -o plain
# RUN: cmp plain3 plain

## The delta shows what changed, as any relocatable file does, and nothing else.
# RUN: llvm-objdump -dr --no-show-raw-insn d12.o | FileCheck %s
# CHECK-LABEL: <changed>:
# CHECK-NEXT:  movl $0x2, %eax
# CHECK-NEXT:  jmp
# CHECK-NEXT:  R_X86_64_PLT32 same-0x4
# CHECK-NOT:   <same>:
# RUN: llvm-nm d12.o | FileCheck %s --check-prefix=NM
# NM-DAG: {{0+ T changed$}}
# NM-DAG: {{ +U same$}}
# RUN: %stock_ld -r d12.o -o again.o

#--- lib.s
  .section .text.changed,"ax",@progbits
  .globl changed, same
  .type changed,@function
changed: movl $VALUE, %eax
  jmp same
  .size changed, . - changed
  .section .text.same,"ax",@progbits
  .type same,@function
same: addl $7, %eax
  ret
  .size same, . - same

#--- app.s
  .globl _start
_start: call changed
