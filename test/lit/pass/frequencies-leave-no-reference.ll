;; Calls that become instructions leave no symbol behind, which would bring a file of the C library or libm into the link.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' %s | %llc -O2 -filetype=obj -o %t.o
; RUN: llvm-nm %t.o | FileCheck %s
; CHECK-NOT: {{sqrt|fabs|memcmp|missing}}
; CHECK:     U strlen

target triple = "x86_64-unknown-linux-gnu"

define double @f(double %x) {
  %r = call double @sqrt(double %x) memory(none)
  %s = call double @fabs(double %r) memory(none)
  ret double %s
}
define i1 @g(ptr %a, ptr %b) {
  %r = call i32 @memcmp(ptr %a, ptr %b, i64 8)
  %z = icmp eq i32 %r, 0
  ret i1 %z
}
define i64 @h(ptr %a) {
  %r = call i64 @strlen(ptr %a)
  ret i64 %r
never:
  call void @missing()
  unreachable
}
declare double @sqrt(double) memory(none) nounwind willreturn
declare double @fabs(double) memory(none) nounwind willreturn
declare i32 @memcmp(ptr, ptr, i64)
declare i64 @strlen(ptr)
declare void @missing()
