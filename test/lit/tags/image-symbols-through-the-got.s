## A library that looks at the image's end through the GOT is shared by images that end elsewhere, also where an immediate
## follows the displacement, and where a linker script defines the symbol.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as f.s -o f.o && llvm-ar rcs libone.a f.o && %as app.s -o app.o && %as --defsym LARGE=1 app.s -o large.o
# RUN: %spacer_ld app.o libone.a -T script.lds -o image1 --spacer-atlas=a.atlas
# RUN: %spacer_ld large.o libone.a -T script.lds -o image2 --spacer-atlas=a.atlas --spacer-report=report.json
# RUN: FileCheck %s < report.json
# RUN: llvm-objdump -d --no-show-raw-insn --disassemble-symbols=f image1 | grep '^ ' > f1
# RUN: llvm-objdump -d --no-show-raw-insn --disassemble-symbols=f image2 | grep '^ ' > f2 && diff f1 f2
# RUN: llvm-objdump -s --section=.spacer.got.0 image1 | FileCheck %s --check-prefix=SLOTS1
# RUN: llvm-objdump -s --section=.spacer.got.0 image2 | FileCheck %s --check-prefix=SLOTS2
# CHECK: "privateBecause": {}
# CHECK: "got": 2
# CHECK: "newBytes": 0
# SLOTS1: 00401000 00000000 00000000 00000000
# SLOTS2: 00501000 00000000 00000000 00000000

#--- f.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
  .weak nobody
f: movq boundary@GOTPCREL(%rip), %rax
  cmpq $0, nobody@GOTPCREL(%rip)
  ret
  .size f, . - f

#--- app.s
  .globl _start
  .type _start,@function
_start: call f
  ret
  .data
.ifdef LARGE
  .space 8000
.else
  .space 4000
.endif

#--- script.lds
SECTIONS {
  . = 0x101000;
  .text : { *(.text .text.*) }
  . = 0x102000;
  .rodata : { *(.rodata .rodata.*) }
  . = 0x103000;
  .data : { *(.data .data.*) }
  .bss : { *(.bss .bss.*) }
  . = ALIGN(0x1000);
  boundary = .;
}
