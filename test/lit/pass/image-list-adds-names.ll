;; image=GLOB, as often as needed, adds data and functions that the image defines; nothing that this file defines.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<image=config_*;image=hook?>,verify' -S %s | FileCheck %s
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<image=*;no-image-got>,verify' -S %s | FileCheck %s --check-prefix=OFF

target triple = "x86_64-unknown-linux-gnu"

; CHECK: @config_a = external global i32{{$}}
; CHECK: @other = external dso_local global i32{{$}}
; CHECK: @config_mine = dso_local global i32 1
; OFF: @config_a = external dso_local global i32{{$}}
@config_a = external dso_local global i32
@other = external dso_local global i32
@config_mine = dso_local global i32 1

; CHECK: define dso_local void @hook0()
define dso_local void @hook0() {
  %a = load i32, ptr @config_a
  %b = load i32, ptr @other
  %c = load i32, ptr @config_mine
  call void @hook1()
  call void @hook22()
  ret void
}
; CHECK: declare void @hook1() #[[#]]
; CHECK: declare dso_local void @hook22(){{$}}
declare dso_local void @hook1()
declare dso_local void @hook22()
