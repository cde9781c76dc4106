;; Position-independent code relocates constant pointers at start-up: such objects belong to .data.rel.ro, others stay read-only.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes=spacer %s | %llc -relocation-model=pic -filetype=obj -o %t.o
; RUN: llvm-readelf -SW %t.o | FileCheck %s --check-prefix=FLAGS
; FLAGS-DAG: .data.rel.ro.table PROGBITS {{.*}} WA
; FLAGS-DAG: .rodata.fixed PROGBITS {{.*}} A {{ *}}0

target triple = "x86_64-unknown-linux-gnu"

; CHECK: @table = constant [1 x ptr] [ptr @f], section ".data.rel.ro.table"
; CHECK: @fixed = constant [3 x i32] [i32 1, i32 2, i32 3], section ".rodata.fixed"
@table = constant [1 x ptr] [ptr @f]
@fixed = constant [3 x i32] [i32 1, i32 2, i32 3]

declare void @f()

!llvm.module.flags = !{!0}
!0 = !{i32 8, !"PIC Level", i32 2}
