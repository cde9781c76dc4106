# A label that starts with .L leaves no symbol behind.
  .section .data.1,"aw",@progbits
.Lcounter: .long 100
  .section .text.countB,"ax",@progbits
  .globl countB
  .type countB,@function
countB: addl $20, .Lcounter(%rip)
  movl .Lcounter(%rip), %eax
  ret
  .size countB, . - countB
