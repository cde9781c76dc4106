## Disassembling the door section shows the table: a jump to each function, under the name <function>@spacer.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-readelf -SW image | FileCheck %s --check-prefix=SECTION
# RUN: llvm-nm image | FileCheck %s --check-prefix=NAMES
# RUN: llvm-objdump -d --no-show-raw-insn image | FileCheck %s
# SECTION: .spacer.door{{.*}} PROGBITS {{.*}} AX
# NAMES-DAG: {{^[0-9a-f]+}} {{[tT]}} outer@spacer
# NAMES-DAG: {{^[0-9a-f]+}} {{[tT]}} inner@spacer
# CHECK:     Disassembly of section .spacer.door
# CHECK-DAG: jmp {{.*}}<outer>
# CHECK-DAG: jmp {{.*}}<inner>

#--- lib.s
  .section .text.outer,"ax",@progbits
  .globl outer
  .type outer,@function
outer: call inner
  ret
  .size outer, . - outer
  .section .text.inner,"ax",@progbits
  .type inner,@function
inner: movl $outer, %eax
  ret
  .size inner, . - inner

#--- app.s
  .globl _start
_start: call outer
