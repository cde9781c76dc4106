;; Numbers that reach calls which do not return or are cold come from a table of the function's.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<report=%t.json>,verify' -S %s | FileCheck %s
; RUN: FileCheck %s --check-prefix=REPORT < %t.json
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<no-lines>' -S %s | FileCheck %s --check-prefix=OFF
; REPORT:      "spared": {
; REPORT-NEXT:   "f": 2,
; REPORT-NEXT:   "wide": 1
; REPORT-NEXT: }
; OFF: call void @fail(ptr @.str, i32 120)

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

@.str = private unnamed_addr constant [4 x i8] c"x.c\00"

; CHECK: @f.spacer.lines = internal externally_initialized constant [2 x i32] [i32 120, i32 121], section ".rodata.spacer.lines.f", {{.*}}align 4
; CHECK: @wide.spacer.lines = internal externally_initialized constant [1 x i32] [i32 122], section ".rodata.spacer.lines.wide"

; CHECK-LABEL: define void @f(
; CHECK: %[[A:[a-z.0-9]+]] = load i32, ptr @f.spacer.lines
; CHECK-NEXT: call void @fail(ptr @.str, i32 %[[A]])
; CHECK: %[[B:[a-z.0-9]+]] = load i32, ptr getelementptr inbounds ({{.*}}@f.spacer.lines, i32 0, i32 1)
; CHECK-NEXT: call void @log(i32 %[[B]]) #
define void @f(i1 %c) {
  br i1 %c, label %bad, label %good
bad:
  call void @fail(ptr @.str, i32 120)
  unreachable
good:
  call void @log(i32 121) cold
  ret void
}
;; An argument of 64 bits is extended after the load.
; CHECK-LABEL: define void @wide(
; CHECK: %[[C:[a-z.0-9]+]] = load i32, ptr @wide.spacer.lines
; CHECK-NEXT: %[[D:[a-z.0-9]+]] = zext i32 %[[C]] to i64
; CHECK-NEXT: call void @failWide(i64 %[[D]])
define void @wide() {
  call void @failWide(i64 122)
  unreachable
}
declare void @fail(ptr, i32) noreturn
declare void @failWide(i64)
declare void @log(i32)
