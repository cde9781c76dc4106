;; Loaded without a frontend, the pass gives each function and object a section named after it; local names are told apart by their file.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<no-units;no-tags>' -S %s | FileCheck %s --check-prefix=OFF
; OFF-NOT: section "

source_filename = "d/x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @zero = global [9 x i32] zeroinitializer, section ".bss.zero"
; CHECK: @full = global i32 7, section ".data.full"
; CHECK: @fixed = constant [3 x i32] [i32 1, i32 2, i32 3], section ".rodata.fixed"
; CHECK: @table = constant [1 x ptr] [ptr @f], section ".rodata.table"
; CHECK: @local = internal global i32 3, section ".data.local.x.c"
; CHECK: @weak = weak global i32 4, section ".data.weak"
; CHECK: define void @f() section ".text.f"
; CHECK: define internal i32 @s() {{.*}}section ".text.s.x.c"
; CHECK: define weak void @w() section ".text.w"
@zero = global [9 x i32] zeroinitializer
@full = global i32 7
@fixed = constant [3 x i32] [i32 1, i32 2, i32 3]
@table = constant [1 x ptr] [ptr @f]
@local = internal global i32 3
@weak = weak global i32 4

define void @f() {
  %v = call i32 @s()
  ret void
}
define internal i32 @s() noinline {
  %v = load volatile i32, ptr @local
  ret i32 %v
}
define weak void @w() {
  ret void
}
