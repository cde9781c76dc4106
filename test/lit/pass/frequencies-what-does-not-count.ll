;; No edge: cold calls and functions, calls that do not return, recursion, calls by pointer, intrinsics, inline assembler, code
;; that is never reached or not optimised.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; CHECK-NOT: CG Profile

target triple = "x86_64-unknown-linux-gnu"

define void @f(ptr %p, i32 %n) {
  call void @cold()
  call void @any() cold
  call void @f(ptr %p, i32 %n)
  call void %p()
  call void @llvm.memset.p0.i64(ptr %p, i8 0, i64 400, i1 false)
  call void asm sideeffect "nop", ""()
  ret void
never:
  call void @any()
  ret void
}
define void @bad() {
  call void @end()
  unreachable
}
define void @unusual() cold {
  call void @any()
  ret void
}
define void @slow() noinline optnone {
  call void @any()
  ret void
}
declare void @cold() cold
declare void @any()
declare void @end() noreturn
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
