  .section odd,"ax",@progbits
  .globl helper
  .type helper,@function
helper: movl $13, %eax
  ret
  .size helper, . - helper
  .section .data.x,"aw",@progbits
  .globl x
  .type x,@object
x: .long 130
  .size x, 4
  .section .text.callC,"ax",@progbits
  .globl callC
  .type callC,@function
callC: subq $8, %rsp
  call helper
  addq $8, %rsp
  ret
  .size callC, . - callC
  .section .text.getC,"ax",@progbits
  .globl getC
  .type getC,@function
getC: incl x(%rip)
  movl x(%rip), %eax
  ret
  .size getC, . - getC
