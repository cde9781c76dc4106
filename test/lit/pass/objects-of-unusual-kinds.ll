;; Aliases, ifuncs and their resolvers, block addresses, callbr, operand bundles, names with any bytes and without a name: the
;; module stays valid, and machine code comes of it.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a;report=%t.json>,verify' -S %s > %t.ll && FileCheck %s < %t.ll
; RUN: %llc -verify-machineinstrs -filetype=obj %t.ll -o %t.o
; RUN: %llc -verify-machineinstrs -filetype=obj -O0 -relocation-model=pic %t.ll -o %t.o
; RUN: %python -m json.tool %t.json > %t.txt

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

; CHECK: @spacer.tags = {{.*}} ptr @resolve, {{.*}} ptr @place,
; CHECK: @alias = alias i32 (i1), ptr @bundle
; CHECK: @chosen = ifunc i32 (), ptr @resolve
@chosen = ifunc i32 (), ptr @resolve
@alias = alias i32 (i1), ptr @bundle
@place = internal global ptr blockaddress(@jump, %x)
@"any \FF\22 bytes" = internal constant [3 x i32] [i32 1, i32 2, i32 3]
@0 = private constant [3 x i32] [i32 1, i32 2, i32 3]
@1 = internal global i32 3

define internal ptr @resolve() {
  ret ptr @jump
}
define i32 @jump() {
  br label %x
x:
  %p = load ptr, ptr @place
  %w = load volatile i32, ptr @1
  %u = load volatile i32, ptr @0
  %t = load volatile i32, ptr @"any \FF\22 bytes"
  indirectbr ptr %p, [label %x, label %y]
y:
  ret i32 1
}
;; The bundle keeps the number itself.
; CHECK: call i32 @g(i32 %spacer.line{{[0-9]*}}) #[[#]] [ "deopt"(i32 %s) ]
; CHECK: callbr void asm sideeffect "", "i,!i"(i32 120)
define i32 @bundle(i1 %c) {
  %s = select i1 %c, i32 120, i32 130
  %r = call i32 @g(i32 %s) cold [ "deopt"(i32 %s) ]
  callbr void asm sideeffect "", "i,!i"(i32 120) cold to label %a [label %b]
a:
  ret i32 %r
b:
  %q = call i32 @g(i32 140) cold convergent
  unreachable
}
define i32 @2() {
  %q = call i32 @g(i32 140) cold
  unreachable
}
declare i32 @g(i32)
