## What tells a function from equal ones is in its object file: neither the order of archives, nor what is live, nor what a name is
## resolved to makes it another.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as --defsym KEEP=1 weak.s -o weak1.o && %as --defsym KEEP=2 weak.s -o weak2.o && %as local.s -o local.o
# RUN: mkdir x y && llvm-ar rcs x/libone.a weak1.o weak2.o local.o && llvm-ar rcs y/libone.a local.o weak2.o weak1.o
# RUN: %as --defsym ALL=1 app.s -o all.o && %as --defsym ALL=0 app.s -o some.o
# RUN: %spacer_ld --gc-sections all.o x/libone.a -o all1 --spacer-atlas=1.atlas --spacer-units=all1.units
# RUN: %spacer_ld --gc-sections all.o y/libone.a -o all2 --spacer-atlas=2.atlas --spacer-units=all2.units
# RUN: %spacer_ld --gc-sections some.o x/libone.a -o some --spacer-atlas=3.atlas --spacer-units=some.units
# RUN: %spacer_ld --gc-sections some.o y/libone.a -o wrap --wrap=keep1 --spacer-atlas=4.atlas --spacer-units=wrap.units
# RUN: %python check.py

#--- check.py
import collections, json
def identities(path):
    found = collections.Counter()
    for row in map(json.loads, open(path)):
        # Which aaa a name is resolved to does depend on order, and decides what keep1 and keep2 are bound to.
        if isinstance(row, list) and row[2] == "text" and "keep" not in row[7]:
            found[row[5]] += 1
    return found
a, b, some, wrap = (identities(n + ".units") for n in ("all1", "all2", "some", "wrap"))
assert a == b, a - b
assert len(a) == sum(a.values()) == 5, a  # aaa of weak1 and of weak2 are two
assert not some - a, some - a
assert some == wrap, some - wrap

#--- weak.s
  .section .text.aaa,"ax",@progbits
  .weak aaa
  .type aaa,@function
  .type dummy,@function
aaa:
dummy: movl $1, %eax
  ret
  .size aaa, . - aaa
  .size dummy, . - dummy
  .if KEEP == 1
  .section .text.keep1,"ax",@progbits
  .globl keep1
  .type keep1,@function
keep1: movl $dummy, %eax
  ret
  .size keep1, . - keep1
  .else
  .section .text.keep2,"ax",@progbits
  .globl keep2
  .type keep2,@function
keep2: movl $dummy, %ecx
  ret
  .size keep2, . - keep2
  .endif

#--- local.s
  .section .text.cb,"ax",@progbits
  .type cb,@function
cb: movl $3, %eax
  ret
  .size cb, . - cb
  .section .text.calls,"ax",@progbits
  .globl calls
  .type calls,@function
calls: call cb
  ret
  .size calls, . - calls
  .section .text.takes,"ax",@progbits
  .globl takes
  .type takes,@function
takes: movl $cb, %eax
  ret
  .size takes, . - takes

#--- app.s
  .globl _start, __wrap_keep1
  .weak __real_keep1 # without --wrap nobody defines it
__wrap_keep1: jmp __real_keep1
_start: call keep1
  call calls
  .if ALL
  call keep2
  call takes
  .endif
  ret
