;; Direct as before: definitions, whatever their names; thread-local data; ordinary data and functions of other files;
;; arrays with a size or an ordinary name.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes=spacer %s | %llc -relocation-model=static -filetype=obj -o %t.o
; RUN: llvm-readelf -r %t.o | FileCheck %s --check-prefix=RELOCATIONS
; RELOCATIONS-NOT: GOT

target triple = "x86_64-unknown-linux-gnu"

; CHECK: @_end = dso_local global i8 0
; CHECK: @weakDefined = weak dso_local global i32 0
; CHECK: @thread_start = external thread_local(localexec) global [0 x i32]{{$}}
; CHECK: @ordinary = external dso_local global i32{{$}}
; CHECK: @sized_start = external dso_local global [4 x i32]{{$}}
; CHECK: @names = external hidden global [0 x i32]{{$}}
; CHECK: @scalar_end = external dso_local global i32{{$}}
@_end = dso_local global i8 0
@weakDefined = weak dso_local global i32 0
@thread_start = external thread_local(localexec) global [0 x i32]
@ordinary = external dso_local global i32
@sized_start = external dso_local global [4 x i32]
@names = external hidden global [0 x i32]
@scalar_end = external dso_local global i32

define void @f() {
  %t = load i32, ptr @thread_start
  call void @take(ptr @_end, ptr @weakDefined, ptr @ordinary, ptr @sized_start, ptr @names, ptr @scalar_end)
  ret void
}
; CHECK: declare dso_local void @take(ptr, ptr, ptr, ptr, ptr, ptr){{$}}
declare dso_local void @take(ptr, ptr, ptr, ptr, ptr, ptr)
