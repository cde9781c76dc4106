;; What the source gave external linkage and the linker made local has it again, hidden; what was static stays so.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-raise-borders,verify' -S %s | FileCheck %s

source_filename = "ld-temp.o"
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @object = hidden global i32 1 #
; CHECK: @static = internal global i32 1 #
; CHECK: define hidden void @function() #
; CHECK: define internal void @local() #
@object = internal global i32 1 #0
@static = internal global i32 1 #1
define internal void @function() #0 {
  ret void
}
define internal void @local() #1 {
  ret void
}
attributes #0 = { "spacer-lib"="one" "spacer-file"="a.c" "spacer-external" }
attributes #1 = { "spacer-lib"="one" "spacer-file"="a.c" }
!spacer.prepared = !{!0}
!0 = !{}
