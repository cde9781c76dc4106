## test/bench/boot-order.py: names of what a trace has, each once, slots as their functions; first what most images use, then by use.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas --spacer-trampolines=entry
# RUN: %spacer_ld app.o libone.a -o door --spacer-atlas=b.atlas --spacer-trampolines=door
# RUN: %python trace.py image "one two+1 two alias data+4" > image.trace
# RUN: %python trace.py door "two@spacer two data" > door.trace
# RUN: %python %S/../../bench/boot-order.py image image.trace door door.trace | FileCheck %s
# CHECK: {{^}}two{{$}}
# CHECK-NEXT: data
# CHECK-NEXT: alias
# CHECK-NEXT: one
# CHECK-NOT: {{.}}
# RUN: not %python %S/../../bench/boot-order.py image 2>&1 | FileCheck %s --check-prefix=USAGE
# USAGE: boot-order.py IMAGE TRACE

#--- trace.py
import subprocess, sys
places = {}
for line in subprocess.run(["llvm-nm", sys.argv[1]], capture_output=True, text=True, check=True).stdout.splitlines():
    places.setdefault(line.split()[2], int(line.split()[0], 16))
for use in sys.argv[2].split():
    name, _, offset = use.partition("+")
    print(hex(places[name] + int(offset or 0)))
print("0xdeadbeef")  # nobody's

#--- lib.s
  .section .text.one,"ax",@progbits
  .globl one, alias
  .type one,@function
  .type alias,@function
one:
alias: call two
  ret
  .size one, . - one
  .size alias, . - alias
  .section .text.two,"ax",@progbits
  .globl two
  .type two,@function
two: nop
unsized:
  ret
  .size two, . - two
  .section .data.data,"aw",@progbits
  .globl data
  .type data,@object
data: .quad 1
  .size data, 8

#--- app.s
  .globl _start
_start: call one
  movq data(%rip), %rax
  movl $60, %eax
  syscall
