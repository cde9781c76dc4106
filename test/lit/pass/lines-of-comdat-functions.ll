;; The table of an inline function is a member of its group: linkers that drop the copy drop the table.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>' %s | %llc -filetype=obj -function-sections -o %t.o
; RUN: llvm-readelf -gW %t.o | FileCheck %s --check-prefix=GROUP
; RUN: llvm-objdump -r -j .spacer.tags %t.o | FileCheck %s --check-prefix=TAGS
; CHECK: @inline.spacer.lines = internal {{.*}} section ".rodata.spacer.lines.inline", {{.*}}comdat($inline)
; GROUP: COMDAT group section {{.*}} [inline]
; GROUP-DAG: .text.inline
; GROUP-DAG: .rodata.spacer.lines.inline
;; Tags must not keep an object of a dropped group.
; TAGS-NOT: inline

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

$inline = comdat any
define linkonce_odr void @inline() comdat {
  call void @fail(i32 120)
  unreachable
}
define void @user() {
  call void @inline()
  ret void
}
declare void @fail(i32)
