// From a loader's 32-bit flat mode (multiboot) to 64-bit C. Every address is
// taken relative to the instruction pointer, so the same code links at a fixed
// address and position independent: 1 GiB mapped one to one with 2 MiB pages.
  .section .text.boot, "ax", @progbits
  .code32
  .globl boot_entry
  .type boot_entry, @function
boot_entry:
  cld
  movl $0x9f000, %esp                        // low memory is nobody's
  movl %ebx, %esi
  call 1f
1: popl %ebp
  leal boot_tables - 1b(%ebp), %edi
  leal 0x1003(%edi), %eax
  movl %eax, (%edi)                          // level 4: one entry
  addl $0x1000, %eax
  movl %eax, 0x1000(%edi)                    // level 3: one entry
  leal 0x2000(%edi), %edx
  movl $0x83, %eax
  movl $512, %ecx
2: movl %eax, (%edx)
  addl $0x200000, %eax
  addl $8, %edx
  loop 2b
  movl %edi, %cr3
  movl $0x620, %eax
  movl %eax, %cr4
  movl $0xc0000080, %ecx
  rdmsr
  orl $0x100, %eax
  wrmsr
  leal boot_descriptors - 1b(%ebp), %eax
  pushl %eax
  pushw $23
  lgdtl (%esp)
  movl $0x80000033, %eax
  movl %eax, %cr0
  pushl $8
  leal boot_long - 1b(%ebp), %eax
  pushl %eax
  lretl

  .code64
boot_long:
  movl $16, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  leaq boot_stack_top(%rip), %rsp
  xorl %ebp, %ebp
  movl %esi, %edi
  fninit
  call boot_start
3: hlt
  jmp 3b
  .size boot_entry, . - boot_entry

  .section .rodata.boot, "a", @progbits
  .p2align 3
boot_descriptors:
  .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff

  .section .bss.boot, "aw", @nobits
  .p2align 12
boot_tables:
  .skip 0x3000
  .skip 0x4000
boot_stack_top:
  .section .note.GNU-stack, "", @progbits
