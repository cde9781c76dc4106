;; Thin link-time optimisation imports bodies: those of other libraries are dropped, the library's own are kept.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-drop-imports,verify' -S %s | FileCheck %s
; RUN: grep -v '^!' %s > %t.ll
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-drop-imports,verify' -S %t.ll | FileCheck %s --check-prefix=UNPREPARED
; CHECK: define available_externally i32 @near()
; CHECK: declare i32 @other()
; UNPREPARED: define available_externally i32 @other()

source_filename = "a.c"
target triple = "x86_64-unknown-linux-gnu"

define i32 @user() #0 {
  %a = call i32 @other()
  %b = call i32 @near()
  %c = add i32 %a, %b
  ret i32 %c
}
define available_externally i32 @near() #0 {
  ret i32 2
}
define available_externally i32 @other() #1 {
  ret i32 1
}
attributes #0 = { "spacer-lib"="one" "spacer-file"="a.c" "spacer-external" }
attributes #1 = { "spacer-lib"="two" "spacer-file"="b.c" "spacer-external" }
!spacer.prepared = !{!0}
!0 = !{}
