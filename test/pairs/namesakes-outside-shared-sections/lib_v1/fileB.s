  .section odd,"ax",@progbits
  .type helper,@function
helper: movl $12, %eax
  ret
  .size helper, . - helper
  .section .data.x,"aw",@progbits
  .type x,@object
x: .long 120
  .size x, 4
  .section .text.callB,"ax",@progbits
  .globl callB
  .type callB,@function
callB: subq $8, %rsp
  call helper
  addq $8, %rsp
  ret
  .size callB, . - callB
  .section .text.getB,"ax",@progbits
  .globl getB
  .type getB,@function
getB: incl x(%rip)
  movl x(%rip), %eax
  ret
  .size getB, . - getB
