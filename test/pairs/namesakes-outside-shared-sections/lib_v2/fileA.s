  .section odd,"ax",@progbits
  .type helper,@function
helper: movl $21, %eax
  ret
  .size helper, . - helper
  .section .data.x,"aw",@progbits
  .type x,@object
x: .long 210
  .size x, 4
  .section .text.callA,"ax",@progbits
  .globl callA
  .type callA,@function
callA: subq $8, %rsp
  call helper
  addq $8, %rsp
  ret
  .size callA, . - callA
  .section .text.getA,"ax",@progbits
  .globl getA
  .type getA,@function
getA: incl x(%rip)
  movl x(%rip), %eax
  ret
  .size getA, . - getA
