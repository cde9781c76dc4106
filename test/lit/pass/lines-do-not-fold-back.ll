;; The optimiser does not put the numbers back: the code is the same for other numbers, also after another -O2.
; REQUIRES: pass
; RUN: %opt -load-pass-plugin=%pass -passes='spacer,default<O2>,verify' -S %s > %t1.ll && FileCheck %s < %t1.ll
; RUN: sed 's/120/220/; s/130/230/; s/140/240/' %s > %t2.in
; RUN: %opt -load-pass-plugin=%pass -passes='spacer' %s | %llc -O2 -filetype=obj -o %t1.o
; RUN: %opt -load-pass-plugin=%pass -passes='spacer' %t2.in | %llc -O2 -filetype=obj -o %t2.o
; RUN: llvm-objcopy -O binary -j .text.f %t1.o %t1.bin && llvm-objcopy -O binary -j .text.f %t2.o %t2.bin && cmp %t1.bin %t2.bin
; RUN: llvm-readelf -x .rodata.spacer.lines.f %t2.o | FileCheck %s --check-prefix=TABLE
; CHECK-NOT: {{i32 (120|130|140)[^],]}}
; CHECK: load i32, ptr
; TABLE: f0000000 dc000000 e6000000

source_filename = "x.c"
target triple = "x86_64-unknown-linux-gnu"

define void @f(i1 %c, i1 %d) {
  br i1 %c, label %x, label %y
x:
  br label %bad
y:
  br i1 %d, label %bad, label %z
z:
  call void @fail(i32 140)
  unreachable
bad:
  %line = phi i32 [ 120, %x ], [ 130, %y ]
  call void @fail(i32 %line)
  unreachable
}
declare void @fail(i32) noreturn
