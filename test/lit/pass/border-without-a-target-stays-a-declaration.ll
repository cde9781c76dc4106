; A callee of another library that was only a copy may be gone when borders end: its callers then refer to it by name.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer-raise-borders,globaldce,elim-avail-extern,globaldce,spacer,verify' -S %s | FileCheck %s
; CHECK: call i32 @copy(i32 %x)
; CHECK: declare{{.*}} i32 @copy(i32)
; CHECK-NOT: spacer.border
target triple = "x86_64-unknown-linux-gnu"

define i32 @user(i32 %x) #0 {
  %r = call i32 @copy(i32 %x)
  ret i32 %r
}

define available_externally i32 @copy(i32 %x) #1 {
  %r = add i32 %x, 1
  ret i32 %r
}

attributes #0 = { "spacer-lib"="one" "spacer-file"="a.c" "spacer-external" }
attributes #1 = { "spacer-lib"="two" "spacer-file"="b.c" "spacer-external" }
!spacer.prepared = !{!0}
!0 = !{}
