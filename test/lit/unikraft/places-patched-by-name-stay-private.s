## A symbol NAME_uk_reloc_... marks a place that later steps patch and no relocation speaks of: its section is the image's.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-report | FileCheck %s
# RUN: llvm-nm image | FileCheck %s --check-prefix=NM
# CHECK: patched by the names of its symbols: 1 units
# NM-DAG: {{0*}}1000{{.*}} T plain
# NM-DAG: {{0*}}20{{.*}} T start32
#--- lib.s
  .section .text.start32,"ax",@progbits
  .globl start32
  .type start32,@function
start32: movl $0xbeef, %eax
table_uk_reloc_imm4_phys = . - 4
  ret
  .size start32, . - start32
  .section .text.plain,"ax",@progbits
  .globl plain
  .type plain,@function
plain: ret
  .size plain, . - plain
#--- app.s
  .globl _start
_start: call start32
  call plain
