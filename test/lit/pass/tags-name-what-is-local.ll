;; The tags of an object: the library, and FILE:NAME of what is local. What is global needs no name, a member of a group must not
;; be held by a reference, and what linkers merge or what is thread-local has no entry.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=musl@1.2.3;no-units;no-frequencies>,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<no-tags>' -S %s | FileCheck %s --check-prefix=OFF
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=musl@1.2.3>' %s | %llc -filetype=obj -o %t.o
; RUN: llvm-readelf -SrW %t.o | FileCheck %s --check-prefix=OBJECT
; OFF-NOT: spacer.tags
; OBJECT: .spacer.tags PROGBITS {{.*}} E 0 0 8
; OBJECT: Relocation section '.rela.spacer.tags' at offset {{.*}} contains 2 entries
; OBJECT-DAG: {{^0000000000000018}} {{.*}} R_X86_64_64 {{.*}} .text.local.x.c + 0
; OBJECT-DAG: {{^0000000000000028}} {{.*}} R_X86_64_64 {{.*}} .bss.counter.x.c + 0

source_filename = "folder/x.c"
target triple = "x86_64-unknown-linux-gnu"

$inline = comdat any

; CHECK: @spacer.tags = private constant
; CHECK-SAME: c"SpTg\01\00\00\00`\00\00\00\02\00\00\008\00\00\00\00\00\00\00"
; CHECK-SAME: <{ ptr @local, i32 [[#]], i32 0 }>
; CHECK-SAME: <{ ptr @counter, i32 [[#]], i32 0 }>
; CHECK-SAME: c"musl@1.2.3\00x.c:local\00x.c:counter\00
; CHECK-SAME: section ".spacer.tags", {{.*}}align 8, !exclude
; CHECK: @llvm.compiler.used = {{.*}}@spacer.tags
@counter = internal global i32 0
@inline.state = internal global i32 0, comdat($inline)
@thread = internal thread_local global i32 0
@object = global i32 1
@.str = private unnamed_addr constant [3 x i8] c"hi\00"

define internal void @local() noinline {
  %v = load volatile i32, ptr @counter
  %w = load volatile i32, ptr @thread
  ret void
}
define void @f() {
  call void @local()
  call void @inline()
  call void @take(ptr @.str)
  ret void
}
define linkonce_odr void @inline() comdat {
  %v = load volatile i32, ptr @inline.state
  ret void
}
declare void @take(ptr)
