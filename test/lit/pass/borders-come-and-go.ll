;; Link-time optimisation: while it runs, a call to another library's function goes to a declaration of it; afterwards to the
;; function again, and nothing of the border is left.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-raise-borders,verify' -S %s | FileCheck %s --check-prefix=RAISED
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-raise-borders,spacer<no-tags;no-frequencies>,verify' -S %s | FileCheck %s --check-prefix=LOWERED
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-raise-borders,lto<O2>,spacer<no-tags;no-frequencies>,verify' -S %s | FileCheck %s --check-prefix=OPTIMISED

source_filename = "ld-temp.o"
target triple = "x86_64-unknown-linux-gnu"

; RAISED: @limit = externally_initialized constant i32 41 #
; LOWERED: @limit = constant i32 41 #
@limit = constant i32 41 #2

;; Of another library: neither inlined nor known to return 1.
; RAISED-LABEL: define i32 @user(
; RAISED: call i32 @other.spacer.border()
; RAISED: call i32 @near()
; LOWERED-LABEL: define i32 @user(
; LOWERED: call i32 @other()
; OPTIMISED-LABEL: define {{.*}}i32 @user(
; OPTIMISED: call i32 @other()
; OPTIMISED-NOT: call
; OPTIMISED: load i32, ptr @limit
; OPTIMISED: ret i32
define i32 @user() #0 {
  %a = call i32 @other()
  %b = call i32 @near()
  %c = load i32, ptr @limit
  %d = add i32 %a, %b
  %e = add i32 %d, %c
  ret i32 %e
}
define i32 @near() #0 {
  ret i32 2
}
define i32 @other() #1 {
  ret i32 1
}
; RAISED: declare i32 @other.spacer.border() #
; LOWERED-NOT: spacer.border
; OPTIMISED-NOT: spacer.border
attributes #0 = { "spacer-lib"="one" "spacer-file"="a.c" "spacer-external" }
attributes #1 = { "spacer-lib"="two" "spacer-file"="b.c" "spacer-external" }
attributes #2 = { "spacer-lib"="two" "spacer-file"="b.c" "spacer-external" }
!spacer.prepared = !{!0}
!0 = !{}
