;; Calls that differ in the line alone were merged into one: the phi or select chooses the index in the table instead. A block
;; that comes in twice brings one value, a condition that may be poison is frozen, one that may not is not.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @phi.spacer.lines = {{.*}} [3 x i32] [i32 100, i32 200, i32 300]
; CHECK: @twice.spacer.lines = {{.*}} [2 x i32] [i32 100, i32 200]
; CHECK: @tree.spacer.lines = {{.*}} [3 x i32] [i32 100, i32 200, i32 300]
; CHECK: @loop.spacer.lines = {{.*}} [2 x i32]

; CHECK-LABEL: define void @phi(
; CHECK: %[[I:.*]] = phi i32 [ 0, %a ], [ 1, %b ], [ 2, %c ]
; CHECK-NOT: phi
; CHECK: %[[P:.*]] = getelementptr inbounds [3 x i32], ptr @phi.spacer.lines, i32 0, i32 %[[I]]
; CHECK: %[[L:.*]] = load i32, ptr %[[P]]
; CHECK: call void @fail(i32 %[[L]])
define void @phi(i32 %v) {
  switch i32 %v, label %a [ i32 1, label %b
                            i32 2, label %c ]
a:
  br label %bad
b:
  br label %bad
c:
  br label %bad
bad:
  %line = phi i32 [ 100, %a ], [ 200, %b ], [ 300, %c ]
  call void @fail(i32 %line)
  unreachable
}
; CHECK-LABEL: define void @twice(
; CHECK: phi i32 [ 0, %entry ], [ 0, %entry ], [ 1, %other ]
define void @twice(i32 %v) {
entry:
  switch i32 %v, label %other [ i32 1, label %bad
                                i32 2, label %bad ]
other:
  br label %bad
bad:
  %line = phi i32 [ 100, %entry ], [ 100, %entry ], [ 200, %other ]
  call void @fail(i32 %line)
  unreachable
}
; CHECK-LABEL: define void @tree(
; CHECK: %[[F:.*]] = freeze i1 %c
; CHECK: %[[S:.*]] = select i1 %[[F]], i32 0, i32 1
; CHECK: phi i32 [ %[[S]], %entry ], [ 2, %other ]
define void @tree(i1 %c, i1 %d) {
entry:
  %s = select i1 %c, i32 100, i32 200
  br i1 %d, label %bad, label %other
other:
  br label %bad
bad:
  %line = phi i32 [ %s, %entry ], [ 300, %other ]
  call void @fail(i32 %line)
  unreachable
}
; CHECK-LABEL: define void @sure(
; CHECK-NOT: freeze
; CHECK: select i1 %c, i32 0, i32 1
define void @sure(i1 noundef %c) {
  %s = select i1 %c, i32 100, i32 200
  call void @fail(i32 %s)
  unreachable
}
;; A phi may bring itself.
; CHECK-LABEL: define void @loop(
; CHECK: %[[I:.*]] = phi i32 [ 0, %entry ], [ %[[I]], %head ], [ 1, %again ]
define void @loop(i32 %n) {
entry:
  br label %head
head:
  %line = phi i32 [ 100, %entry ], [ %line, %head ], [ 200, %again ]
  %v = load volatile i32, ptr @flag
  switch i32 %v, label %head [ i32 1, label %again
                               i32 2, label %bad ]
again:
  br label %head
bad:
  call void @fail(i32 %line)
  unreachable
}
@flag = external global i32
declare void @fail(i32) noreturn
