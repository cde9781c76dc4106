;; opt of another LLVM says so and fails; it does not crash.
; REQUIRES: pass, opt-14
; RUN: not %opt14 -load-pass-plugin=%pass -passes=spacer %s -o %t.bc 2>&1 | FileCheck %s
; RUN: %python -c 'import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode != 1)' %opt14 -load-pass-plugin=%pass -passes=spacer %s -o %t.bc
; CHECK: libSpacerPass.so: made for LLVM 19, loaded by LLVM 15 or older; use clang-19
; CHECK-NOT: Stack dump
