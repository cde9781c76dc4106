;; A module that was compiled with a profile has real numbers, or none for what never ran: no estimate, and not twice.
; REQUIRES: pass
; RUN: rm -rf %t && split-file %s %t && cd %t
; RUN: cat code.ll summary.ll > a.ll && %opt -load-pass-plugin=%pass -passes='spacer,verify' -S a.ll | FileCheck %s --check-prefix=SUMMARY
; RUN: cat code.ll edges.ll > a.ll && %opt -load-pass-plugin=%pass -passes='spacer,verify' -S a.ll | FileCheck %s --check-prefix=EDGES
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,spacer<lib=a>,verify' -S code.ll | FileCheck %s --check-prefix=TWICE
; SUMMARY-NOT: CG Profile
; EDGES: @spacer.tags = {{.*}}c"SpTg\01\00\00\00
; EDGES-NOT: i64 16}
; EDGES: !{ptr @f, ptr @g, i64 77}
; EDGES-NOT: i64 16}
; TWICE-COUNT-1: !"CG Profile"
; TWICE-COUNT-1: i64 16}
; TWICE-NOT: i64 16}

;--- code.ll
source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"
define void @f() {
  call void @g()
  ret void
}
declare void @g()
@local = internal global i32 1
@user = global ptr @local

;--- summary.ll
!llvm.module.flags = !{!0}
!0 = !{i32 1, !"ProfileSummary", !1}
!1 = !{!2, !3, !4, !5, !6, !7, !8, !9}
!2 = !{!"ProfileFormat", !"InstrProf"}
!3 = !{!"TotalCount", i64 100}
!4 = !{!"MaxCount", i64 10}
!5 = !{!"MaxInternalCount", i64 1}
!6 = !{!"MaxFunctionCount", i64 10}
!7 = !{!"NumCounts", i64 3}
!8 = !{!"NumFunctions", i64 3}
!9 = !{!"DetailedSummary", !10}
!10 = !{!11}
!11 = !{i32 10000, i64 10, i32 1}

;--- edges.ll
!llvm.module.flags = !{!0}
!0 = !{i32 5, !"CG Profile", !1}
!1 = !{!2}
!2 = !{ptr @f, ptr @g, i64 77}
