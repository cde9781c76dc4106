  .section .text.byData,"ax",@progbits
  .globl byData
  .type byData,@function
byData: movslq %edi, %rdi
  leaq table(%rip), %rax
  movslq (%rax,%rdi,4), %rcx
  addq %rcx, %rax
  jmp *%rax
  .size byData, . - byData
  .section .rodata.table,"a",@progbits
  .type table,@object
table: .long target - table, target + 6 - table
  .size table, 8
