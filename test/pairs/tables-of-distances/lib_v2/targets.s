  .section .text.target,"ax",@progbits
  .globl target
  .type target,@function
target: movl $21, %eax
  ret
  movl $22, %eax
  ret
  .size target, . - target
# Functions of four bytes: what follows the one meant begins where a wrong reading of the addend would look.
  .section .text.small,"ax",@progbits
  .type small,@function
small: leal 2(%rdi), %eax
  ret
  .size small, . - small
  .type next,@function
next: leal 100(%rdi), %eax
  ret
  .size next, . - next
  .section .text.byCode,"ax",@progbits
  .globl byCode
  .type byCode,@function
byCode: leaq 1f(%rip), %rax
  movslq (%rax), %rcx
  addq %rcx, %rax
  jmp *%rax
  .balign 4
1: .long small - .
  .size byCode, . - byCode
