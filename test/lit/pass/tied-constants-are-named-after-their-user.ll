;; A private constant that one function uses is named after it, without the compiler's number.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s

source_filename = "d/x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK-DAG: @switch.table.f = private unnamed_addr constant [3 x i32] [i32 5, {{.*}} section ".rodata.switch.table.f.x.c"
; CHECK-DAG: @__const.g.x = private unnamed_addr constant [3 x i32] [i32 6, {{.*}} section ".rodata.__const.g.x.x.c"
; CHECK-DAG: @.numbers.g = private unnamed_addr constant [3 x i32] [i32 7, {{.*}} section ".rodata..numbers.g.x.c"
@switch.table.f.3 = private unnamed_addr constant [3 x i32] [i32 5, i32 1, i32 2]
@__const.g.x.17 = private unnamed_addr constant [3 x i32] [i32 6, i32 1, i32 2]
@.numbers.5 = private unnamed_addr constant [3 x i32] [i32 7, i32 1, i32 2]

define ptr @f(i64 %i) {
  %p = getelementptr [3 x i32], ptr @switch.table.f.3, i64 0, i64 %i
  ret ptr %p
}
define ptr @g(i1 %c) {
  %p = select i1 %c, ptr @__const.g.x.17, ptr getelementptr (i8, ptr @.numbers.5, i64 4)
  ret ptr %p
}
