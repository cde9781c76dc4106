;; The declaration at the border says how arguments are passed and that nothing is thrown, and nothing that was inferred from the
;; body. Calls inside a library, by pointer, and address comparisons see the function itself.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-raise-borders,verify' -S %s | FileCheck %s

source_filename = "ld-temp.o"
target triple = "x86_64-unknown-linux-gnu"

%big = type { [9 x i64] }

; CHECK-LABEL: define void @user(
; CHECK: call fastcc void @passed.spacer.border(ptr sret(%big) align 8 %p, ptr byval(%big) align 8 %p, i8 signext 1)
; CHECK: icmp eq ptr %p, @passed
; CHECK: call fastcc void %p(
define void @user(ptr %p) #0 {
  call fastcc void @passed(ptr sret(%big) align 8 %p, ptr byval(%big) align 8 %p, i8 signext 1)
  %c = icmp eq ptr %p, @passed
  call fastcc void %p(ptr null, ptr null, i8 0)
  ret void
}
; CHECK-LABEL: define void @same(
; CHECK: call fastcc void @passed(
define void @same(ptr %p) #1 {
  call fastcc void @passed(ptr sret(%big) align 8 %p, ptr byval(%big) align 8 %p, i8 signext 1)
  ret void
}
define fastcc void @passed(ptr noalias nocapture writeonly sret(%big) align 8 %r, ptr nocapture readonly byval(%big) align 8 %v, i8 noundef signext %w) #2 {
  ret void
}
; CHECK: declare fastcc void @passed.spacer.border(ptr sret(%big) align 8, ptr byval(%big) align 8, i8 signext) #[[#A:]]
; CHECK: attributes #[[#A]] = { nounwind "spacer-border" }
attributes #0 = { "spacer-lib"="one" "spacer-file"="a.c" "spacer-external" }
attributes #1 = { "spacer-lib"="two" "spacer-file"="b.c" "spacer-external" }
attributes #2 = { nounwind willreturn memory(argmem: write) "spacer-lib"="two" "spacer-file"="b.c" "spacer-external" }
!spacer.prepared = !{!0}
!0 = !{}
