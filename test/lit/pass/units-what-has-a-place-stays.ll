;; Not moved: comdats, explicit sections, thread-local and common objects, bodies that are not emitted, declarations, llvm.*.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer<lib=a>,verify' -S %s | FileCheck %s

source_filename = "d/x.c"
target triple = "x86_64-unknown-linux-gnu"

$inline = comdat any
$object = comdat any

; CHECK: @object = linkonce_odr global i32 1, comdat{{$}}
; CHECK: @placed = global i32 2, section "mine"{{$}}
; CHECK: @thread = thread_local global i32 3{{$}}
; CHECK: @shared = common global i32 0{{$}}
; CHECK: @elsewhere = external global i32{{$}}
; CHECK: @llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @constructor, ptr null }]{{$}}
; CHECK: @llvm.used = appending global [1 x ptr] [ptr @object], section "llvm.metadata"
@object = linkonce_odr global i32 1, comdat
@placed = global i32 2, section "mine"
@thread = thread_local global i32 3
@shared = common global i32 0
@elsewhere = external global i32
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @constructor, ptr null }]
@llvm.used = appending global [1 x ptr] [ptr @object], section "llvm.metadata"

; CHECK: define linkonce_odr void @inline() comdat {
; CHECK: define void @placedFunction() section ".text.startup" {
; CHECK: define internal void @constructor() section ".text.constructor.x.c" {
; CHECK: define available_externally void @body() {
; CHECK: define void @user() section ".text.user" {
define linkonce_odr void @inline() comdat {
  ret void
}
define void @placedFunction() section ".text.startup" {
  ret void
}
define internal void @constructor() {
  store volatile i32 1, ptr @elsewhere
  ret void
}
define available_externally void @body() {
  ret void
}
define void @user() {
  call void @inline()
  call void @body()
  %v = load i32, ptr @elsewhere
  ret void
}
