## Every image linked with an atlas carries a manifest, which takes no memory; one linked without has none.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o with --spacer-atlas=a.atlas
# RUN: %spacer_ld app.o libone.a -o without
# RUN: llvm-readelf -SW with | FileCheck %s
# RUN: llvm-readelf -SW without | FileCheck %s --check-prefix=NONE --implicit-check-not=.spacer
## Address zero, and no flags: not allocated.
# CHECK: .spacer.manifest PROGBITS 0000000000000000 {{[0-9a-f]+ [0-9a-f]+}} 00 0 0
# NONE: .text

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
