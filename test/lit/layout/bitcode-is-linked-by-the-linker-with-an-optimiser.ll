;; ld.spacer has no optimiser and starts the link anew in one that has. What it said until then is said once, and the
;; output is stock lld's.
; REQUIRES: ld.spacer, stock-ld
; RUN: rm -rf %t && split-file %s %t && cd %t
; RUN: llvm-as main.ll -o main.o
; RUN: %as callee.s -o callee.o
; RUN: llvm-ar rc libcallee.a callee.o
; RUN: %spacer_ld --trace -znonsense callee.o main.o -o image > said.txt 2> warned.txt
; RUN: FileCheck %s --check-prefix=SAID --implicit-check-not=.o < said.txt
; RUN: FileCheck %s --check-prefix=WARNED --implicit-check-not=warning < warned.txt
; RUN: %stock_ld -znonsense callee.o main.o -o stock
; RUN: llvm-objcopy -R .comment image && llvm-objcopy -R .comment stock && cmp image stock

;; A pipe can be read but once.
; RUN: cat main.o | %spacer_ld callee.o /dev/stdin -o piped
; RUN: llvm-objcopy -R .comment piped && cmp piped stock
; RUN: cat callee.o | %spacer_ld main.o /dev/stdin -o piped
; RUN: llvm-nm piped | FileCheck %s --check-prefix=PIPED
; RUN: echo "SECTIONS { . = 0x300000; .text : { *(.text*) } }" | %spacer_ld main.o callee.o --script=/dev/stdin -o piped
; RUN: llvm-nm piped | FileCheck %s --check-prefix=SCRIPT
; RUN: echo "SECTIONS { . = 0x300000; .text : { *(.text*) } }" | %spacer_ld main.o callee.o -T/dev/stdin -o piped
; RUN: llvm-nm piped | FileCheck %s --check-prefix=SCRIPT

;; Options of the optimiser are known, with bitcode and without.
; RUN: echo "-mllvm -inline-threshold=7 --lto-O1" > response.txt
; RUN: %spacer_ld @response.txt main.o libcallee.a -o image
; RUN: %spacer_ld -mllvm -inline-threshold=7 callee.o -e callee -o image
; RUN: not %spacer_ld -mllvm -nonsense callee.o -o image 2>&1 | FileCheck %s --check-prefix=UNKNOWN
;; What GCC tells its own plugin means nothing.
; RUN: %spacer_ld -plugin-opt=/usr/lib/lto-wrapper -plugin-opt=-fresolution=x.res -plugin-opt=-pass-through=-lc callee.o -e callee -o image

;; An installation in which it is missing.
; RUN: mkdir bin && cp %spacer_ld bin/ld.lld
; RUN: %t/bin/ld.lld callee.o -e callee -o image
; RUN: not %t/bin/ld.lld callee.o main.o -o image 2>&1 | FileCheck %s --check-prefix=MISSING

; SAID:      {{^}}callee.o
; SAID-NEXT: {{^}}main.o
; WARNED: warning: unknown -z value: nonsense
; PIPED: T callee
; SCRIPT: {{^0+30.*}} T callee
; UNKNOWN: error: -mllvm: {{.*}}Unknown command line argument '-nonsense'
; MISSING: error: main.o: needs the optimiser, {{.*}}ld.spacer-lto: No such file or directory

;--- main.ll
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare void @callee()
define void @_start() {
  call void @callee()
  ret void
}
;--- callee.s
.globl callee
callee:
  ret
