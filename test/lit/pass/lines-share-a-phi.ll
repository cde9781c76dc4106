;; One phi for two calls, or for two arguments of one: one index for all, and the phi is gone unless something else uses it.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @f.spacer.lines = {{.*}} [2 x i32] [i32 100, i32 200]
; CHECK-LABEL: define void @f(
; CHECK: %[[I:.*]] = phi i32 [ 0, %a ], [ 1, %b ]
; CHECK-NOT: phi
; CHECK: call void @warn(i32 %{{.*}}, i32 %{{.*}})
; CHECK: call void @fail(i32 %
define void @f(i1 %c) {
  br i1 %c, label %a, label %b
a:
  br label %bad
b:
  br label %bad
bad:
  %line = phi i32 [ 100, %a ], [ 200, %b ]
  call void @warn(i32 %line, i32 %line) cold
  call void @fail(i32 %line)
  unreachable
}
; CHECK-LABEL: define i32 @g(
; CHECK-DAG: %line = phi i32 [ 100, %a ], [ 200, %b ]
; CHECK-DAG: phi i32 [ 0, %a ], [ 1, %b ]
; CHECK: ret i32 %line
define i32 @g(i1 %c) {
  br i1 %c, label %a, label %b
a:
  br label %bad
b:
  br label %bad
bad:
  %line = phi i32 [ 100, %a ], [ 200, %b ]
  call void @warn(i32 %line, i32 7) cold
  ret i32 %line
}
declare void @warn(i32, i32)
declare void @fail(i32)
