;; Without a profile calls are counted by the estimate: 16 for one call a run, loops count, unlikely branches count less, several
;; calls are one edge. The tags say that it is an estimate.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<no-frequencies;lib=a>' -S %s | FileCheck %s --check-prefix=OFF
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>' %s | %llc -filetype=obj -o %t.o
; RUN: llvm-readobj --cg-profile %t.o | FileCheck %s --check-prefix=OBJECT
; OFF-NOT: CG Profile
; OBJECT: From: f
; OBJECT-NEXT: To: once
; OBJECT-NEXT: Weight: 16

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @spacer.tags = {{.*}}c"SpTg\01\00\02\00
; CHECK: !{i32 5, !"CG Profile", ![[#N:]]}
; CHECK: ![[#N]] = !{![[#N+1]], ![[#N+2]], ![[#N+3]], ![[#N+4]]}
; CHECK: !{ptr @f, ptr @once, i64 16}
; CHECK: !{ptr @f, ptr @twice, i64 32}
; CHECK: !{ptr @f, ptr @often, i64 {{[1-9][0-9][0-9]}}}
; CHECK: !{ptr @f, ptr @seldom, i64 1}
define void @f(i32 %n, i1 %c) {
entry:
  call void @once()
  call void @twice()
  call void @twice()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  call void @often()
  %next = add i32 %i, 1
  %more = icmp slt i32 %next, %n
  br i1 %more, label %loop, label %done
done:
  br i1 %c, label %rare, label %end, !prof !0
rare:
  call void @seldom()
  br label %end
end:
  ret void
}
declare void @once()
declare void @twice()
declare void @often()
declare void @seldom()
!0 = !{!"branch_weights", i32 1, i32 100000}
