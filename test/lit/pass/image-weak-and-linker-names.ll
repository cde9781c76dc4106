;; Reached through the GOT: weak undefined data and functions, names that linkers define, arrays without a size that mark a
;; boundary. Hidden ones become default, for what is hidden is never loaded from the GOT.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes=spacer %s | %llc -relocation-model=static -filetype=obj -o %t.o
; RUN: llvm-readelf -r %t.o | FileCheck %s --check-prefix=RELOCATIONS
; RUN: %llc -relocation-model=static -filetype=obj %s -o %t.o
; RUN: llvm-readelf -r %t.o | FileCheck %s --check-prefix=WITHOUT
; WITHOUT-NOT: GOT
; RELOCATIONS-NOT: R_X86_64_{{32S?|64|PC32|PLT32}} {{.*}} {{_end|__start_x|table_begin|weak}}
; RELOCATIONS-DAG: GOTPCREL{{.*}} _end
; RELOCATIONS-DAG: GOTPCREL{{.*}} __start_x
; RELOCATIONS-DAG: GOTPCREL{{.*}} table_begin
; RELOCATIONS-DAG: GOTPCREL{{.*}} weakData
; RELOCATIONS-DAG: GOTPCREL{{.*}} weakFunction

target triple = "x86_64-unknown-linux-gnu"

; CHECK: @_end = external global i8{{$}}
; CHECK: @__start_x = external global [0 x ptr]{{$}}
; CHECK: @table_begin = external global [0 x i32]{{$}}
; CHECK: @weakData = extern_weak global i32{{$}}
@_end = external dso_local global i8
@__start_x = external hidden global [0 x ptr]
@table_begin = external dso_local global [0 x i32]
@weakData = extern_weak dso_local global i32

define void @f() {
  call void @take(ptr @_end, ptr @__start_x, ptr @table_begin, ptr @weakData, ptr @weakFunction)
  call void @weakFunction()
  ret void
}
; CHECK: declare extern_weak void @weakFunction() #[[#LAZY:]]
declare extern_weak dso_local void @weakFunction()
declare void @take(ptr, ptr, ptr, ptr, ptr)
; CHECK: attributes #[[#LAZY]] = { nonlazybind }
