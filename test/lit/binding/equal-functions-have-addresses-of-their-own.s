## Equal functions of a library have addresses of their own, as stock lld's have, whoever takes them and in whatever way: who takes
## the address of a global function differs from image to image, so it has a place of its own; of local ones those do that are taken.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o auto --spacer-atlas=a.atlas
# RUN: %spacer_ld app.o libone.a -o frozen --spacer-atlas=a.atlas --spacer-mode=frozen
# RUN: %spacer_ld app.o libone.a -o door --spacer-atlas=b.atlas --spacer-trampolines=door
# RUN: %spacer_ld app.o libone.a -o entry --spacer-atlas=c.atlas --spacer-trampolines=entry
# RUN: %spacer_ld app.o libone.a -o none --spacer-atlas=d.atlas --spacer-trampolines=none
# RUN: %python %S/../tool/Inputs/exits.py 37 ./auto
# RUN: %python %S/../tool/Inputs/exits.py 37 ./frozen
# RUN: %python %S/../tool/Inputs/exits.py 37 ./door
# RUN: %python %S/../tool/Inputs/exits.py 37 ./entry
# RUN: %python %S/../tool/Inputs/exits.py 37 ./none
# RUN: %spacer verify auto --atlas a.atlas && %spacer verify frozen --atlas a.atlas
# RUN: llvm-nm -n auto | FileCheck %s
## Local functions that are only called are equal to others.
# CHECK: {{^}}[[LOCAL:[0-9a-f]+]] t {{local[12]$}}
# CHECK-NEXT: {{^}}[[LOCAL]] t {{local[12]$}}
# CHECK: {{^}}[[CALLED:[0-9a-f]+]] T {{called$}}
# CHECK-NOT: {{^}}[[CALLED]]

## The atlas takes other images.
# RUN: %as --defsym PADDED=1 app.s -o padded.o
# RUN: %spacer_ld padded.o libone.a -o padded --spacer-atlas=a.atlas && %spacer verify padded --atlas a.atlas
# RUN: %python %S/../tool/Inputs/exits.py 37 ./padded
# RUN: %spacer atlas show a.atlas | FileCheck %s --check-prefix=SHOW
# SHOW: {{ ([0-9]+) pages with \1 contents}}

## Weak aliases of two libraries, of which one name is the same; functions without a type, known only by where a table points.
# RUN: %as --defsym CCC=0 weak.s -o weak1.o && %as --defsym CCC=1 weak.s -o weak2.o && %as two.s -o two.o
# RUN: %as --defsym CCC=0 untyped.s -o untyped1.o && %as --defsym CCC=1 untyped.s -o untyped2.o
# RUN: llvm-ar rcs libtwo.a weak1.o untyped1.o && llvm-ar rcs libthree.a weak2.o untyped2.o
# RUN: %spacer_ld two.o libtwo.a libthree.a -o two --spacer-atlas=two.atlas
# RUN: %python %S/../tool/Inputs/exits.py 40 ./two

#--- weak.s
  .section .text.aaa,"ax",@progbits
  .weak aaa
  .type aaa,@function
aaa:
  .if CCC
  .weak ccc
  .type ccc,@function
ccc:
  .else
  .weak bbb
  .type bbb,@function
bbb:
  .endif
  ret

#--- untyped.s
  .text
helper: ret
  nop
callback: ret
  .section .rodata,"a",@progbits
  .if CCC
  .globl table2
table2: .quad callback
  .else
  .globl table1
table1: .quad callback
  .endif

#--- two.s
  .globl _start
_start: xorl %edi, %edi
  movl $bbb, %eax
  movl $ccc, %ecx
  cmpl %eax, %ecx
  je 1f
  addl $20, %edi
1: movq table1(%rip), %rax
  cmpq table2(%rip), %rax
  je 1f
  addl $20, %edi
1: movl $60, %eax
  syscall

#--- lib.s
  .irp name, called, called2, data, load, move, shared
  .section .text.\name,"ax",@progbits
  .globl \name
  .type \name,@function
\name: ret
  .size \name, . - \name
  .endr
  .irp name, local1, local2
  .section .text.\name,"ax",@progbits
  .type \name,@function
\name: nop
  nop
  ret
  .size \name, . - \name
  .endr
  .section .text.callsShared,"ax",@progbits
  .globl callsShared
  .type callsShared,@function
callsShared: call shared
  call local1
  call local2
  ret
  .size callsShared, . - callsShared

## Each has a table that leads into it.
  .irp name, switch1, switch2
  .section .text.\name,"ax",@progbits
  .globl \name
  .type \name,@function
\name: jmp *.Ltable\name(,%rax,8)
.Lzero\name: ret
.Lone\name: addl $1, %edi
  ret
  .size \name, . - \name
  .section .rodata.\name,"a",@progbits
  .p2align 3
.Ltable\name: .quad .Lzero\name, .Lone\name
  .endr

#--- app.s
## The number of pairs of different addresses among data, load, move and shared, times five; and what two equal functions with a table do.
  .ifdef PADDED
  .space 5000
  .endif
  .globl _start
_start: call called
  call called2
  call callsShared
  xorl %edi, %edi
  leaq load(%rip), %rax
  movq $move, %rbx
  movq pointer(%rip), %rcx
  movq $shared, %rdx
  .macro count a, b
  cmpq \a, \b
  je 1f
  addl $5, %edi
1:
  .endm
  count %rax, %rbx
  count %rax, %rcx
  count %rax, %rdx
  count %rbx, %rcx
  count %rbx, %rdx
  count %rcx, %rdx
  movl $switch1, %ebx
  movl $switch2, %ecx
  count %rbx, %rcx
  xorl %eax, %eax
  call *%rbx
  call *%rcx
  movl $1, %eax
  call *%rbx
  call *%rcx
  movl $60, %eax
  syscall
  .data
pointer: .quad data
