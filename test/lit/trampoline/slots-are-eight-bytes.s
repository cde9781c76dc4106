## Door slots are eight bytes each; a library built for IBT has sixteen, which begin with endbr64.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o plain.o && llvm-ar rcs libplain.a plain.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libplain.a -o image --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-nm -n image | grep '[fg]@spacer' | FileCheck %s --check-prefix=EIGHT
# EIGHT:      [[#%x,AT:]] {{[tT]}} {{[fg]}}@spacer
# EIGHT-NEXT: {{0*}}[[#AT+8]] {{[tT]}} {{[fg]}}@spacer

# RUN: %as --defsym IBT=1 lib.s -o ibt.o && llvm-ar rcs libibt.a ibt.o && %as --defsym IBT=1 app.s -o ibtapp.o
# RUN: %spacer_ld -z ibt ibtapp.o libibt.a -o ibtimage --spacer-atlas=b.atlas --spacer-trampolines=door
# RUN: llvm-nm -n ibtimage | grep '[fg]@spacer' | FileCheck %s --check-prefix=SIXTEEN
# SIXTEEN:      [[#%x,AT:]] {{[tT]}} {{[fg]}}@spacer
# SIXTEEN-NEXT: {{0*}}[[#AT+16]] {{[tT]}} {{[fg]}}@spacer
# RUN: llvm-objdump -d --no-show-raw-insn ibtimage | FileCheck %s --check-prefix=ENDBR
# ENDBR:      <{{[fg]}}@spacer>:
# ENDBR-NEXT: endbr64
# ENDBR-NEXT: jmp

#--- lib.s
.macro function name, value
  .section .text.\name,"ax",@progbits
  .globl \name
  .type \name,@function
\name:
.ifdef IBT
  endbr64
.endif
  movl $\value, %eax
  ret
  .size \name, . - \name
.endm
  function f, 1
  function g, 2
  .section .text.both,"ax",@progbits
  .globl both
  .type both,@function
both:
.ifdef IBT
  endbr64
.endif
  call f
  jmp g
  .size both, . - both
  .include "note.s"

#--- note.s
.ifdef IBT
  .section .note.gnu.property,"a"
  .balign 8
  .long 4, 16, 5
  .asciz "GNU"
  .long 0xc0000002, 4, 1, 0
.endif

#--- app.s
  .include "note.s"
  .text
  .globl _start
_start: call both
