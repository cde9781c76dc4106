## `spacer verify` accepts what the linker wrote, and names the image when a byte of a shared page is another.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: %spacer verify image --atlas a.atlas
# RUN: %spacer atlas check a.atlas
# RUN: %python change.py
# RUN: not %spacer verify bad --atlas a.atlas 2>&1 | FileCheck %s
# CHECK: bad

#--- change.py
data = bytearray(open("image", "rb").read())
data[data.index(b"\xb8\x67\x45\x23\x01") + 1] ^= 1
open("bad", "wb").write(data)

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movl $0x01234567, %eax
  ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
