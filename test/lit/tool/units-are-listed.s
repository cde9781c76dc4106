## --spacer-units writes a line for each unit and slot: what is named, private, a plain function; and changes nothing else.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=1.atlas --spacer-units=list
# RUN: %spacer_ld app.o libone.a -o plain --spacer-atlas=2.atlas
# RUN: cmp image plain && cmp 1.atlas 2.atlas
# RUN: FileCheck %s < list
# CHECK: {"image":"image","libraries":["one"],"machine":62,"slots":1,"units":6,"window":"0x1000000:0x7000000"}
# CHECK-DAG: ["one","","text",{{[0-9]+}},16,"{{[0-9a-f]+}}",0,"f","f",{{[0-9]+}}]
## Two names, or bytes behind the function: who knows what they are for?
# CHECK-DAG: ["one","","text",{{[0-9]+}},16,"{{[0-9a-f]+}}",0,"{{alias|g}}","",{{[0-9]+}}]
# CHECK-DAG: ["one","","text",{{[0-9]+}},16,"{{[0-9a-f]+}}",0,"table","",{{[0-9]+}}]
# CHECK-DAG: ["one","","text",{{[0-9]+}},16,"{{[0-9a-f]*}}",1,"end","f",0]
# CHECK-DAG: ["one","{{[0-9a-f]+}}","data",4,4,"{{[0-9a-f]+}}",0,"object","n",{{[0-9]+}}]
# CHECK-DAG: ["one","","string",3,1,"{{[0-9a-f]+}}",0,"","",{{[0-9]+}}]
# CHECK-DAG: ["one","{{[0-9a-f]+}}","door",8,8,"{{[0-9a-f]+}}",0,"f","m",{{[0-9]+}}]
# RUN: %spacer atlas plan list | FileCheck %s --check-prefix=PLAN
# PLAN: text {{ *}}1 {{ *}}1 {{ *}}1
# RUN: gzip -k list && %spacer atlas plan list.gz --json | FileCheck %s --check-prefix=JSON
# JSON: "images": [

# RUN: %python %S/Inputs/exits.py 1 %spacer_ld app.o libone.a -o image2 --spacer-atlas=3.atlas --spacer-units=no/list 2>&1 | FileCheck %s --check-prefix=NODIR
# NODIR: error: no/list: No such file or directory
# RUN: not ls image2 && not ls 3.atlas

#--- lib.s
  .macro function name
  .section .text.\name,"ax",@progbits
  .globl \name
  .p2align 4
  .type \name,@function
\name:
  .endm
  function f
  leaq text(%rip), %rax
  ret
  .size f, . - f
  function g
  .globl alias
  .type alias,@function
alias: call f
  movl object(%rip), %eax
  ret
  .size g, . - g
  .size alias, . - alias
  function table
  movaps constant(%rip), %xmm0
  ret
  .size table, . - table
  .p2align 4
constant: .zero 16
  function end
  leaq _end(%rip), %rax
  ret
  .size end, . - end
  .section .data.object,"aw",@progbits
  .globl object
  .p2align 2
  .type object,@object
object: .long 4
  .size object, 4
  .section .rodata.text,"aMS",@progbits,1
text: .asciz "hi"

#--- app.s
  .globl _start
_start: call f
  call g
  call table
  call end
