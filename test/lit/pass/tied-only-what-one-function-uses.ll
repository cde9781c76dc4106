;; Not renamed: what two functions or another object use, what is not private, what linkers merge, what has a section.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s

target triple = "x86_64-unknown-linux-gnu"

; CHECK-DAG: @both.1 = private constant
; CHECK-DAG: @pointed.2 = private constant
; CHECK-DAG: @internal.3 = internal constant
; CHECK-DAG: @.str.4 = private unnamed_addr constant
; CHECK-DAG: @placed.5 = private constant {{.*}} section "mine"
; CHECK-DAG: @variable.6 = private global
@both.1 = private constant [3 x i32] [i32 1, i32 2, i32 3]
@pointed.2 = private constant [3 x i32] [i32 1, i32 2, i32 3]
@internal.3 = internal constant [3 x i32] [i32 1, i32 2, i32 3]
@.str.4 = private unnamed_addr constant [3 x i8] c"hi\00"
@placed.5 = private constant [3 x i32] [i32 1, i32 2, i32 3], section "mine"
@variable.6 = private global [3 x i32] [i32 1, i32 2, i32 3]
@pointer = global ptr @pointed.2

define ptr @f(i1 %c) {
  call void @take(ptr @internal.3, ptr @.str.4, ptr @placed.5, ptr @variable.6)
  ret ptr @both.1
}
define ptr @g() {
  ret ptr @both.1
}
declare void @take(ptr, ptr, ptr, ptr)
