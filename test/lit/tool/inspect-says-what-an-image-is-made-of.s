## Classes, libraries, slots and segments of a linked image; the lists have a row for each page, unit and slot.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as --defsym VALUE=1 lib.s -o lib.o && llvm-ar rcs libone.a lib.o
# RUN: %as --defsym LONG=0 app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: %spacer inspect image --atlas a.atlas | FileCheck %s
# RUN: %spacer inspect image --json --pages --units --slots > image.json
# RUN: %python check.py

# CHECK: image: ELF64 x86-64, entry 0x
# CHECK: manifest format 1, atlas [[#%x,]], window 0x1000000:0x7000000
# CHECK: class {{ *}}pages {{ *}}zero {{ *}}runs
# CHECK: private
# CHECK-DAG: text {{ *}}1 {{ *}}0 {{ *}}1
# CHECK-DAG: bss {{ *}}1 {{ *}}1 {{ *}}1
# CHECK-DAG: door {{ *}}1 {{ *}}0 {{ *}}1
# CHECK: library {{ *}}pages {{ *}}units
# CHECK: one {{ *}}4 {{ *}}5
# CHECK: slots: 1 doors (8 bytes), 0 entries (0 of them patched), 0 in the GOT (0 bytes)
# CHECK: a.atlas: 4 shared pages as recorded (4 of them as first seen), 0 not recorded
# CHECK-NEXT: region {{ *}}parts pages used
# CHECK: text {{ *}}1 {{ *}}16 {{ *}}1{{$}}

#--- check.py
import json
image = json.load(open("image.json"))
manifest = image["manifest"]
assert {u["name"] for u in image["units"] if not u["private"]} == {"add", "twice", "counter", "limit", "room"}, image["units"]
assert {s["name"] for s in image["slotList"]} == {"add"}, image["slotList"]
assert len(image["pages"]) == sum(c["pages"] for c in manifest["classes"].values())
assert all(len(p["hash"]) == 32 for p in image["pages"])
assert sum(r["pages"] for r in manifest["regions"]) == len(image["pages"])
[one] = [l for l in manifest["libraries"] if l["name"] == "one"]
assert one["slots"] == 1 and one["privateUnits"] == 0, one
assert {s["protection"] for s in image["segments"]} >= {"r-x", "rw-"}

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
