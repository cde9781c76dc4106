;; Where branches are tracked, an entry would make a static function that is only called a target, with an endbr64 in front.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>' %s | %llc -filetype=obj -o %t.o
; RUN: llvm-objdump -d --no-show-raw-insn --disassemble-symbols=called,pointed %t.o | FileCheck %s --check-prefix=CODE
; CHECK-NOT: x.c:called
; CHECK: x.c:pointed
; CODE-LABEL: <called>:
; CODE-NOT: endbr64
; CODE-LABEL: <pointed>:
; CODE-NEXT: endbr64

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

define internal void @called() noinline {
  call void asm sideeffect "nop", ""()
  ret void
}
define internal void @pointed() {
  call void asm sideeffect "nop", ""()
  ret void
}
define ptr @f() {
  call void @called()
  ret ptr @pointed
}
!llvm.module.flags = !{!0}
!0 = !{i32 8, !"cf-protection-branch", i32 1}
