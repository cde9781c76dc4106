// From QEMU's PVH entry to 64-bit C, and the two doors back into the runtime.
//
// QEMU's -kernel option looks for a Xen note that names a 32-bit entry point and jumps there in
// flat protected mode with paging off and %ebx pointing at struct hvm_start_info
// (xen/include/public/arch-x86/hvm/start_info.h).  From there:
//   1. map the first 4 GiB one to one with 2 MiB pages, but for page zero, so that following a
//      null pointer traps as it would on Linux (start.c then takes away what is not RAM);
//      turn on SSE and long mode;
//   2. call bedStart on the runtime's own small stack.
//
// musl makes system calls with the `syscall` instruction.  It works from ring 0 too: LSTAR says
// where to go and %rcx where to come back; only sysret would insist on ring 3, so we return
// with a jump.  Handlers run on the runtime's stack, so code that keeps data in the red zone
// below %rsp would survive a call.  There is one thread and interrupts stay off, so one saved
// stack pointer is enough.

	.section .note.pvh, "a", @note
	.p2align 2
	.long 4                         // name size
	.long 8                         // description size; QEMU reads 8 bytes from 64-bit files
	.long 18                        // XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.quad pvh_start

	.section .bss.boot, "aw", @nobits
	.p2align 12
pml4:	.skip 4096
pdpt:	.skip 4096
	.globl pd
pd:	.skip 4 * 4096                  // 4 x 512 entries of 2 MiB: 4 GiB
pt:	.skip 4096                      // the first 2 MiB again, in 4 KiB pages
runtimeStack:
	.skip 32768
runtimeStackTop:
programStack:
	.skip 8                         // the program's %rsp while a handler runs

	.section .rodata.boot, "a", @progbits
	.p2align 3
gdt:	.quad 0
	.quad 0x00af9b000000ffff        // 0x08: 64-bit code, ring 0
	.quad 0x00cf93000000ffff        // 0x10: data; syscall wants it right after the code
gdtr:	.word . - gdt - 1
	.quad gdt

	.section .text.boot, "ax", @progbits
	.code32
	.globl pvh_start
	.type pvh_start, @function
pvh_start:
	cld
	movl %ebx, %esi                 // struct hvm_start_info
	movl $pdpt + 3, pml4            // 3: present, writable
	movl $pd + 3, %eax
	movl $pdpt, %edi
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	loop 1b
	movl $0x83, %eax                // present, writable, 2 MiB
	movl $pd, %edi
	movl $2048, %ecx
2:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 2b
	movl $0x1003, %eax              // page zero stays absent
	movl $pt + 8, %edi
	movl $511, %ecx
3:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	loop 3b
	movl $pt + 3, pd

	movl $pml4, %eax
	movl %eax, %cr3
	movl $0x620, %eax               // CR4: PAE, OSFXSR, OSXMMEXCPT
	movl %eax, %cr4
	movl $0xc0000080, %ecx          // EFER
	rdmsr
	orl $0x101, %eax                // LME, SCE
	wrmsr
	movl $0x80000033, %eax          // CR0: PG, NE, ET, MP, PE
	movl %eax, %cr0
	lgdt gdtr
	ljmp $8, $start64
	.size pvh_start, . - pvh_start

	.code64
start64:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	leaq runtimeStackTop(%rip), %rsp
	fninit
	movl %esi, %edi                 // the upper half is zero from here on
	call bedStart
	ud2

// enterProgram(sp): starts the program the way the kernel does after execve.
	.globl enterProgram
	.type enterProgram, @function
enterProgram:
	movq %rdi, %rsp
	xorl %edx, %edx                 // no function to register with atexit
	xorl %ebp, %ebp
	jmp _start
	.size enterProgram, . - enterProgram

// Keeps every register but %rax, as Linux does (it also clobbers %rcx and %r11, by nature of
// the instruction).  The C side is built without SSE.
	.globl syscallEntry
	.type syscallEntry, @function
syscallEntry:
	movq %rsp, programStack(%rip)
	leaq runtimeStackTop(%rip), %rsp
	pushq %rcx
	pushq %r11
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %r8
	pushq %r9
	pushq %r10
	subq $8, %rsp                   // keeps the stack aligned
	pushq %r9                       // the sixth argument is C's seventh
	movq %r8, %r9                   // number, then five arguments, in C order
	movq %r10, %r8
	movq %rdx, %rcx
	movq %rsi, %rdx
	movq %rdi, %rsi
	movq %rax, %rdi
	call systemCall
	addq $16, %rsp
	popq %r10
	popq %r9
	popq %r8
	popq %rdx
	popq %rsi
	popq %rdi
	popfq                           // the caller's flags
	popq %rcx
	movq programStack(%rip), %rsp
	jmpq *%rcx
	.size syscallEntry, . - syscallEntry

// One stub for each of the 32 processor exceptions; all end in trap(frame), which does not
// return.  Those without an error code push a zero, so frames look alike.
	.globl trapStubs
	.p2align 4
trapStubs:
	.set vector, 0
	.rept 32
	.p2align 4
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trapCommon
	.set vector, vector + 1
	.endr
trapCommon:
	movq %rsp, %rdi
	leaq runtimeStackTop(%rip), %rsp
	call trap
	ud2

	.section .note.GNU-stack, "", @progbits
