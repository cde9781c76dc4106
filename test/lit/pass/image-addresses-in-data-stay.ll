;; Pointers in initialised data are relocated where they stand, the GOT has no part in them.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' %s | %llc -relocation-model=static -filetype=obj -o %t.o
; RUN: llvm-readelf -r %t.o | FileCheck %s
; CHECK-NOT: GOT
; CHECK: R_X86_64_64 {{.*}} _end + 0
target triple = "x86_64-unknown-linux-gnu"
@_end = external dso_local global i8
@limit = global ptr @_end
