;; Numbers stay in the code: of calls that return and are not cold, small and negative ones, of other widths, computed ones, of
;; intrinsics, of immediate operands, of inline assembler; in functions without optimisation, naked, with a section of their own
;; or not emitted.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<report=%t.json>,verify' -S %s | FileCheck %s
; CHECK-NOT: spacer.lines

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK-LABEL: define void @f(
; CHECK: call void @log(i32 120)
; CHECK: call void @fail(i32 15)
; CHECK: call void @fail(i32 -120)
; CHECK: call void @fail16(i16 120)
; CHECK: call void @failLong(i64 4294967416)
; CHECK: call void @fail(i32 %v)
; CHECK: call void @fail(i32 %either)
; CHECK: call void asm sideeffect "ud2"
; CHECK: call void @llvm.lifetime.start.p0(i64 120
; CHECK: call void @llvm.ubsantrap(i8 120)
define void @f(i32 %v, i1 %c) {
  call void @log(i32 120)
  br i1 %c, label %bad, label %good
good:
  ret void
bad:
  call void @fail(i32 15) cold
  call void @fail(i32 -120) cold
  call void @fail16(i16 120) cold
  call void @failLong(i64 4294967416) cold
  call void @fail(i32 %v) cold
  %either = select i1 %c, i32 120, i32 %v
  call void @fail(i32 %either) cold
  call void asm sideeffect "ud2", "i"(i32 120) cold
  %p = alloca [120 x i8]
  call void @llvm.lifetime.start.p0(i64 120, ptr %p) cold
  call void @log(ptr %p)
  call void @llvm.ubsantrap(i8 120) cold
  unreachable
}
; CHECK-LABEL: define void @slow(
; CHECK: call void @fail(i32 120)
define void @slow() noinline optnone {
  call void @fail(i32 120)
  unreachable
}
; CHECK-LABEL: define void @bare(
; CHECK: call void @fail(i32 120)
define void @bare() naked {
  call void @fail(i32 120)
  unreachable
}
;; Such code may be copied or run before data is where it belongs.
; CHECK-LABEL: define void @boot(
; CHECK: call void @fail(i32 120)
define void @boot() section ".text.boot" {
  call void @fail(i32 120)
  unreachable
}
; CHECK-LABEL: define available_externally void @other(
; CHECK: call void @fail(i32 120)
define available_externally void @other() {
  call void @fail(i32 120)
  unreachable
}
define void @user() {
  call void @slow()
  call void @bare()
  call void @boot()
  call void @other()
  ret void
}
declare void @fail(i32)
declare void @fail16(i16)
declare void @failLong(i64)
declare void @log(...)
declare void @llvm.ubsantrap(i8 immarg)
declare void @llvm.lifetime.start.p0(i64 immarg, ptr)
