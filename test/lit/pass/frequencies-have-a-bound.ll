;; Loops inside loops inside loops: the weight stays a number that linkers can add up.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; CHECK: !{ptr @f, ptr @g, i64 1099511627776}

target triple = "x86_64-unknown-linux-gnu"

define void @f(i1 %c) {
entry:
  br label %l0
l0:
  br label %l1
l1:
  br label %l2
l2:
  br label %l3
l3:
  br label %l4
l4:
  br label %l5
l5:
  br label %l6
l6:
  br label %l7
l7:
  br label %l8
l8:
  br label %l9
l9:
  br label %l10
l10:
  br label %l11
l11:
  call void @g()
  br i1 %c, label %l11, label %x10, !prof !0
x10:
  br i1 %c, label %l10, label %x9, !prof !0
x9:
  br i1 %c, label %l9, label %x8, !prof !0
x8:
  br i1 %c, label %l8, label %x7, !prof !0
x7:
  br i1 %c, label %l7, label %x6, !prof !0
x6:
  br i1 %c, label %l6, label %x5, !prof !0
x5:
  br i1 %c, label %l5, label %x4, !prof !0
x4:
  br i1 %c, label %l4, label %x3, !prof !0
x3:
  br i1 %c, label %l3, label %x2, !prof !0
x2:
  br i1 %c, label %l2, label %x1, !prof !0
x1:
  br i1 %c, label %l1, label %x0, !prof !0
x0:
  br i1 %c, label %l0, label %end, !prof !0
end:
  ret void
}
declare void @g()
!0 = !{!"branch_weights", i32 1000, i32 1}
