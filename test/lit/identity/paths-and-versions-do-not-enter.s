## Neither where an archive lies nor how its version is labelled decides what its code is.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir here there
# RUN: %as lib.s -o lib.o && %as app.s -o app.o
# RUN: llvm-ar rcs here/libone.a lib.o && llvm-ar rcs there/libone.a lib.o
# RUN: %spacer_ld app.o here/libone.a -o image1 --spacer-atlas=a.atlas --spacer-lib=one@1.0=*libone.a
# RUN: %spacer_ld app.o there/libone.a -o image2 --spacer-atlas=a.atlas --spacer-lib=one@2.0=*libone.a
# RUN: llvm-nm image1 > names1 && llvm-nm image2 > names2 && diff names1 names2
# RUN: llvm-objdump -s -j .text image1 | tail -n +3 > text1
# RUN: llvm-objdump -s -j .text image2 | tail -n +3 > text2
# RUN: diff text1 text2

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: movl $1, %eax
  ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
