## --emit-relocs with an atlas either gives an image with relocations for its text, or is refused by name.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %python attempt.py %spacer_ld | FileCheck %s
# CHECK: {{^(works|error: .*emit-relocs.*)$}}

#--- attempt.py
import re, subprocess, sys
link = subprocess.run([sys.argv[1], "--emit-relocs", "app.o", "libone.a", "-o", "image", "--spacer-atlas=a.atlas"],
                      capture_output=True, text=True)
if link.returncode:
    print(re.sub(".*error:", "error:", link.stderr.strip()))
elif ".rela.text" in subprocess.run(["llvm-readelf", "-S", "image"], capture_output=True, text=True).stdout:
    print("works")

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: ret
  .size f, . - f

#--- app.s
  .globl _start
_start: call f
