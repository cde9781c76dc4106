;; The same function has the same names, whatever constants the file has before it. Two of one function are numbered in order.
; REQUIRES: pass
; RUN: rm -rf %t && split-file %s %t && cd %t
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<no-tags>' -S one.ll | grep 'private.*@*table.*f' | sort > one.txt
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<no-tags>' -S two.ll | grep 'private.*@*table.*f' | sort > two.txt
; RUN: FileCheck one.ll < one.txt && diff one.txt two.txt

;--- one.ll
source_filename = "d/x.c"
target triple = "x86_64-unknown-linux-gnu"
; CHECK: @switch.table.f = {{.*}} i32 1, i32 2]
; CHECK: @switch.table.f.1 = {{.*}} i32 3, i32 4]
@switch.table.f = private constant [3 x i32] [i32 0, i32 1, i32 2]
@switch.table.f.2 = private constant [3 x i32] [i32 0, i32 3, i32 4]
define ptr @f(i1 %c) {
  %p = select i1 %c, ptr @switch.table.f, ptr @switch.table.f.2
  ret ptr %p
}

;--- two.ll
source_filename = "d/x.c"
target triple = "x86_64-unknown-linux-gnu"
@switch.table.e = private constant [3 x i32] [i32 9, i32 9, i32 9]
@switch.table.f.1 = private constant [3 x i32] [i32 0, i32 1, i32 2]
@switch.table.f.9 = private constant [3 x i32] [i32 0, i32 3, i32 4]
define ptr @e() {
  ret ptr @switch.table.e
}
define ptr @f(i1 %c) {
  %p = select i1 %c, ptr @switch.table.f.1, ptr @switch.table.f.9
  ret ptr %p
}
