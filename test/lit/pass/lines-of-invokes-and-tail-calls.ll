;; The load stands before an invoke; a call that must be a tail call stays directly before its return.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes=spacer %s | %llc -verify-machineinstrs -filetype=obj -o %t.o
; RUN: llvm-objdump -d -r --no-show-raw-insn %t.o | FileCheck %s --check-prefix=CODE

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK-LABEL: define void @catching(
; CHECK: load i32, ptr @catching.spacer.lines
; CHECK-NEXT: invoke void @fail(i32 %
define void @catching() personality ptr @__gxx_personality_v0 {
  invoke void @fail(i32 120) cold to label %done unwind label %pad
done:
  ret void
pad:
  %e = landingpad { ptr, i32 } cleanup
  call void @fail(i32 130) cold
  resume { ptr, i32 } %e
}
; CHECK-LABEL: define void @last(
; CHECK: load i32, ptr @last.spacer.lines
; CHECK-NEXT: musttail call void @fail(i32 %
; CHECK-NEXT: ret void
; CODE-LABEL: <last>:
; CODE: jmp
define void @last(i32 %v) {
  musttail call void @fail(i32 120) cold
  ret void
}
declare void @fail(i32)
declare i32 @__gxx_personality_v0(...)
