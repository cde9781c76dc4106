;; Strings and constants of 4, 8, 16 or 32 bytes that linkers merge stay in the sections where linkers do.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes=spacer %s | %llc -filetype=obj -o %t.o
; RUN: llvm-readelf -SW %t.o | FileCheck %s --check-prefix=FLAGS
; FLAGS-DAG: .rodata.str1.1 {{.*}} AMS
; FLAGS-DAG: .rodata.str2.2 {{.*}} AMS
; FLAGS-DAG: .rodata.cst4 {{.*}} AM
; FLAGS-DAG: .rodata.cst8 {{.*}} AM
; FLAGS-DAG: .rodata.cst16 {{.*}} AM

target triple = "x86_64-unknown-linux-gnu"

; CHECK: @.str = private unnamed_addr constant [6 x i8] c"hello\00"{{$}}
; CHECK: @.wide = private unnamed_addr constant [3 x i16] [i16 104, i16 105, i16 0]{{$}}
; CHECK: @four = private unnamed_addr constant i32 77{{$}}
; CHECK: @eight = private unnamed_addr constant double 1.500000e+00{{$}}
; CHECK: @sixteen = private unnamed_addr constant [4 x i32] [i32 1, i32 2, i32 3, i32 4]{{$}}
;; An address that may be compared keeps its object.
; CHECK: @addressed = constant i32 77, section ".rodata.addressed"
;; A zero in the middle ends a string early: no linker merges that.
; CHECK: @broken = unnamed_addr constant [5 x i8] c"a\00bc\00", section ".rodata.broken"
@.str = private unnamed_addr constant [6 x i8] c"hello\00"
@.wide = private unnamed_addr constant [3 x i16] [i16 104, i16 105, i16 0]
@four = private unnamed_addr constant i32 77
@eight = private unnamed_addr constant double 1.5
@sixteen = private unnamed_addr constant [4 x i32] [i32 1, i32 2, i32 3, i32 4]
@addressed = constant i32 77
@broken = unnamed_addr constant [5 x i8] c"a\00bc\00"

define void @f() {
  call void @take(ptr @.str, ptr @.wide, ptr @four, ptr @eight, ptr @sixteen)
  ret void
}
declare void @take(ptr, ptr, ptr, ptr, ptr)
