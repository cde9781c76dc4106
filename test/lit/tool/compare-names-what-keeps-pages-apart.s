## Two applications share the pages of a library; a third, whose library has another value in .data, shares all but one.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as --defsym VALUE=1 lib.s -o lib.o && llvm-ar rcs libone.a lib.o
# RUN: %as --defsym LONG=0 app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: %as --defsym LONG=1 app.s -o long.o && %spacer_ld long.o libone.a -o long --spacer-atlas=a.atlas
# RUN: %as --defsym VALUE=2 lib.s -o lib.o && rm libone.a && llvm-ar rcs libone.a lib.o
# RUN: %spacer_ld app.o libone.a -o changed --spacer-atlas=a.atlas
# RUN: %spacer compare image long --library one | FileCheck %s --check-prefix=LIBRARY
# RUN: %spacer compare image changed | FileCheck %s --check-prefix=CHANGED
# RUN: %spacer compare image image --json > same.json && %spacer compare image long changed --json > all.json
# RUN: %python check.py
# RUN: %python %S/Inputs/exits.py 2 %spacer compare image long --library two

# LIBRARY: pages equal at the same address, of those with units of one
# LIBRARY: image {{ *}}long {{ *}}3 {{ *}}3 {{ *}}3 {{ *}}3 {{ *}}100.0%

# CHANGED: what keeps pages apart: 1 pages differ, 0 are in one image only
# CHANGED-NEXT: pages why
# CHANGED-NEXT: 1.00 differs data {{ *}}one {{ *}}counter {{ *}}image changed

#--- check.py
import json
same = json.load(open("same.json"))
assert same["distinctPages"] == same["images"][0]["pages"] == same["pairs"][0]["equal"], same
assert same["efficiency"] <= 1 and not same["apart"], same
every = json.load(open("all.json"))
assert every["ideal"]["dataBytes"] == 8, "both values of counter"
assert every["ideal"]["rodataBytes"] == 4, "limit, once"
assert every["ideal"]["doorBytes"] == 8, "one door with one target"
assert len(every["pairs"]) == 3 and not every["severalAtlases"]
assert every["efficiency"] == every["idealPages"] / every["distinctPages"] <= 1

#--- lib.s
  .section .text.add,"ax",@progbits
  .globl add
  .type add,@function
add: movl counter(%rip), %eax
  addl limit(%rip), %eax
  ret
  .size add, . - add
  .section .text.twice,"ax",@progbits
  .globl twice
  .type twice,@function
twice: call add
  jmp add
  .size twice, . - twice
  .section .data.counter,"aw",@progbits
  .globl counter
  .type counter,@object
counter: .long VALUE
  .size counter, 4
  .section .rodata.limit,"a",@progbits
  .globl limit
  .type limit,@object
limit: .long 7
  .size limit, 4
  .section .bss.room,"aw",@nobits
  .globl room
  .type room,@object
room: .zero 100
  .size room, 100

#--- app.s
  .globl _start
_start: call twice
  leaq room(%rip), %rax
  .if LONG
  .fill 5000, 1, 0x90
  .endif
