# A label that starts with .L leaves no symbol behind.
  .section .data.1,"aw",@progbits
.Lcounter: .long 100
  .section .text.countA,"ax",@progbits
  .globl countA
  .type countA,@function
countA: addl $1, .Lcounter(%rip)
  movl .Lcounter(%rip), %eax
  ret
  .size countA, . - countA
