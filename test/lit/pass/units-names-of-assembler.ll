;; A name that C gave with asm("name") is itself in sections, tables and tags, without LLVM's mark.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>' %s | %llc -filetype=obj -o %t.o
; RUN: llvm-nm %t.o | FileCheck %s --check-prefix=NAMES
; NAMES-DAG: t other
; NAMES-DAG: T real
; CHECK: @spacer.tags = {{.*}}c"a\00asm.c:other\00
; CHECK: section ".text.real"
; CHECK: section ".text.other.asm.c"

source_filename = "d/asm.c"
target triple = "x86_64-unknown-linux-gnu"

define void @"\01real"() {
  call void @"\01other"()
  call void @failed(i32 120) cold
  ret void
}
define internal void @"\01other"() noinline {
  call void @failed(i32 130) cold
  ret void
}
declare void @failed(i32)
; CHECK-NOT: {{[.:]\\01}}
