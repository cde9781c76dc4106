;; Start-up code of position-independent executables needs _DYNAMIC and __ehdr_start before its GOT holds addresses: they stay
;; direct there, even where the list names them. Code for fixed addresses has a GOT that the linker filled.
; REQUIRES: pass
; RUN: rm -rf %t && split-file %s %t && cd %t
; RUN: cat code.ll pie.ll > a.ll && %opt -load-pass-plugin=%pass -passes='spacer<image=*>,verify' -S a.ll | FileCheck %s --check-prefix=PIE
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S code.ll | FileCheck %s --check-prefix=FIXED
; PIE:   @_DYNAMIC = extern_weak hidden global [0 x i64]
; PIE:   @__ehdr_start = external hidden global i8
; PIE:   @_end = external global i8
; FIXED: @_DYNAMIC = extern_weak hidden global [0 x i64]
; FIXED: @__ehdr_start = external global i8
; FIXED: @_end = external global i8

;--- code.ll
target triple = "x86_64-unknown-linux-gnu"
@_DYNAMIC = extern_weak hidden global [0 x i64]
@__ehdr_start = external hidden global i8
@_end = external hidden global i8
define void @f() {
  call void @take(ptr @_DYNAMIC, ptr @__ehdr_start, ptr @_end)
  ret void
}
declare void @take(ptr, ptr, ptr)

;--- pie.ll
!llvm.module.flags = !{!0, !1}
!0 = !{i32 8, !"PIC Level", i32 2}
!1 = !{i32 7, !"PIE Level", i32 2}
