## A frozen link leaves a string that is new where the linker script puts strings, be that .rodata or not.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %as --defsym V=1 lib.s -o v1/lib.o && llvm-ar rcs v1/libone.a v1/lib.o
# RUN: %as --defsym V=2 lib.s -o v2/lib.o && llvm-ar rcs v2/libone.a v2/lib.o
# RUN: %as app.s -o app.o
# RUN: %spacer_ld -T image.lds app.o v1/libone.a -o image1 --spacer-atlas=a.atlas
# RUN: %spacer_ld -T image.lds app.o v2/libone.a -o image2 --spacer-atlas=a.atlas --spacer-mode=frozen
# RUN: llvm-objcopy -O binary -j .text image2 text && grep -a fresh text

#--- lib.s
  .section .text.text,"ax",@progbits
  .globl text
  .type text,@function
text: movl $1f, %eax
  ret
  .size text, . - text
  .section .rodata.str1.1,"aMS",@progbits,1
1:
.if V == 1
  .asciz "known"
.else
  .asciz "fresh"
.endif

#--- app.s
  .globl _start
_start: call text

#--- image.lds
SECTIONS {
  . = 0x400000 + SIZEOF_HEADERS;
  .text : { *(.text .text.*) *(.rodata .rodata.*) }
}
