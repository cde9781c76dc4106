;; The pass changes nothing for other processors, other object formats and pointers of 32 bits.
; REQUIRES: pass
; RUN: rm -rf %t && split-file %s %t && cd %t
; RUN: sed s/TRIPLE/i386-unknown-linux-gnu/ a.ll > i.ll && %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S i.ll | FileCheck a.ll
; RUN: sed s/TRIPLE/aarch64-unknown-linux-gnu/ a.ll > i.ll && %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S i.ll | FileCheck a.ll
; RUN: sed s/TRIPLE/x86_64-unknown-linux-gnux32/ a.ll > i.ll && %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S i.ll | FileCheck a.ll
; RUN: sed s/TRIPLE/x86_64-pc-windows-msvc/ a.ll > i.ll && %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S i.ll | FileCheck a.ll
; RUN: sed s/TRIPLE/x86_64-apple-macosx/ a.ll > i.ll && %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S i.ll | FileCheck a.ll
; RUN: sed s/TRIPLE/x86_64-unknown-none-elf/ a.ll > i.ll && %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S i.ll | FileCheck a.ll --check-prefix=OURS

;--- a.ll
target triple = "TRIPLE"
; CHECK-NOT: spacer
; CHECK-NOT: section
; CHECK: define void @f() {
; CHECK-NOT: spacer
; OURS: define void @f() section ".text.f"
define void @f() {
  call void @fail(i32 120)
  unreachable
}
declare void @fail(i32)
