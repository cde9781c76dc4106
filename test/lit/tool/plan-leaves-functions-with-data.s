## Functions that may hold aligned data keep their alignment: only the others have the flag f, and run at multiples of 2.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o
# RUN: %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o first --spacer-atlas=first.atlas --spacer-trampolines=door --spacer-units=units
# RUN: FileCheck %s --check-prefix=UNITS < units
# UNITS-DAG: "text",{{.*}},"plain","f"
# UNITS-DAG: "text",{{.*}},"relocated","f"
# UNITS-DAG: "text",{{.*}},"constant","f"
# UNITS-DAG: "text",{{.*}},"aligned",""
# UNITS-DAG: "text",{{.*}},"avx",""
# UNITS-DAG: "text",{{.*}},"address",""
# UNITS-DAG: "text",{{.*}},"lent","a"
# UNITS-DAG: "text",{{.*}},"stored",""
# UNITS-DAG: "text",{{.*}},"pointed",""
# UNITS-DAG: "text",{{.*}},"switch","f"
# UNITS-DAG: "text",{{.*}},"borrows","f"

# RUN: %spacer atlas plan --atlas=plan.atlas --link="%spacer_ld app.o libone.a -o image" --json > plan.json
# RUN: %python -c "import json; p = json.load(open('plan.json')); assert 2 <= p['looseFunctions'] <= 5, p"
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=plan.atlas --spacer-mode=frozen
# RUN: %python %S/Inputs/exits.py 80 ./image

#--- lib.s
  .macro function name
  .section .text.\name,"ax",@progbits
  .globl \name
  .p2align 4
  .type \name,@function
\name:
  .endm
  .macro done name
  ret
  .size \name, . - \name
  .endm

  function plain
  addl $8, %edi
  done plain

  function relocated
  movaps data(%rip), %xmm0
  movd %xmm0, %eax
  addl %eax, %edi
  done relocated

## Bytes of an operand, without an instruction that needs alignment.
  function constant
  addl $5, %edi
  andl $0xff, %edi
  cmpl $1, %eax
  addl $3, %edi
  movl $0, %eax
  done constant

  function aligned
  movaps 0f(%rip), %xmm0
  movd %xmm0, %eax
  addl %eax, %edi
  ret
  .p2align 4
0: .long 8, 0, 0, 0
  done aligned

  function avx
  jmp 1f
  vmovaps 0f(%rip), %xmm0
1: addl $8, %edi
  ret
  .p2align 4
0: .long 8, 0, 0, 0
  done avx

  function address
  leaq 0f(%rip), %rax
  movaps (%rax), %xmm0
  movd %xmm0, %eax
  addl %eax, %edi
  ret
  .p2align 4
0: .long 8, 0, 0, 0
  done address

  function lent
  addl $8, %edi
  ret
  .p2align 4
.Llent: .long 8, 0, 0, 0
  done lent

  function borrows
  movaps .Llent(%rip), %xmm0
  movd %xmm0, %eax
  addl %eax, %edi
  done borrows

## The byte before the address is a displacement, not a call.
  function stored
  movq $.Lstored, -24(%rsp)
  movq -24(%rsp), %rax
  movaps (%rax), %xmm0
  movd %xmm0, %eax
  addl %eax, %edi
  ret
  .p2align 4
.Lstored: .long 8, 0, 0, 0
  done stored

  function pointed
  movq pointer(%rip), %rax
  movaps (%rax), %xmm0
  movd %xmm0, %eax
  addl %eax, %edi
  ret
  .p2align 4
.Lpointed: .long 8, 0, 0, 0
  done pointed
  .section .rodata.pointer,"a",@progbits
  .p2align 3
  .type pointer,@object
pointer: .quad .Lpointed
  .size pointer, 8

  function switch
  xorl %eax, %eax
  jmp *.Ltable(,%rax,8)
.Lcase: ret
  done switch
  .section .rodata.switch,"a",@progbits
  .p2align 3
.Ltable: .quad .Lcase

  .section .rodata.data,"a",@progbits
  .globl data
  .p2align 4
  .type data,@object
data: .long 8, 0, 0, 0
  .size data, 16

#--- app.s
  .globl _start
_start: xorl %edi, %edi
  .irp f, plain, relocated, constant, aligned, avx, address, lent, borrows, stored, pointed, switch
  call \f
  .endr
  movl $60, %eax
  syscall
