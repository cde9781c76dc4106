## `spacer verify` names a door that leads elsewhere, a page that the atlas has otherwise, and an atlas that is another one.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as --defsym VALUE=1 lib.s -o lib.o && llvm-ar rcs libone.a lib.o
# RUN: %as --defsym LONG=0 app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o image --spacer-atlas=a.atlas
# RUN: %spacer verify image --atlas a.atlas | FileCheck %s --check-prefix=GOOD
# GOOD: {{^}}image: 5 shared pages, all as in a.atlas{{$}}

# RUN: %python change.py
# RUN: %python %S/Inputs/exits.py 1 %spacer verify image door text bss --atlas a.atlas > lies
# RUN: FileCheck %s < lies
# CHECK: {{^}}image: 5 shared pages, all as in a.atlas
# CHECK-NEXT: {{^}}door: page 0x{{[0-9a-f]+}}: hash {{[0-9a-f]+}}, its bytes have {{[0-9a-f]+}}
# CHECK-NEXT: {{^}}door: page 0x{{[0-9a-f]+}}: none of the atlas's 1 contents; from the first it differs at 0x
# CHECK-NEXT: {{^}}door: slot {{add|twice}} at 0x{{[0-9a-f]+}}: e9{{[0-9a-f]+}}cccccc, expected e9{{[0-9a-f]+}}cccccc (a jump to 0x
# CHECK-NEXT: {{^}}text: page 0x{{[0-9a-f]+}}: hash
# CHECK-NEXT: {{^}}text: page 0x{{[0-9a-f]+}}: none of the atlas's 1 contents; from the first it differs at 0x
# CHECK-NEXT: {{^}}bss: 0x{{[0-9a-f]+}} to 0x{{[0-9a-f]+}}: loaded, but on no page of the manifest

# RUN: %spacer_ld app.o libone.a -o image2 --spacer-atlas=b.atlas --spacer-window=0x2000000:0x1000000
# RUN: %python %S/Inputs/exits.py 1 %spacer verify image --atlas b.atlas | FileCheck %s --check-prefix=OTHER
# OTHER: image: linked with atlas {{[0-9a-f]+}}, b.atlas is {{[0-9a-f]+}}
# OTHER: image: window 0x1000000:0x7000000, the atlas has 0x2000000:0x1000000

#--- change.py
import struct
image = open("image", "rb").read()
phoff, phnum = struct.unpack_from("<Q", image, 32)[0], struct.unpack_from("<H", image, 56)[0]
loads = []
for i in range(phnum):
    at = phoff + i * 56
    kind, flags, offset, address, _, inFile, inMemory, _ = struct.unpack_from("<IIQQQQQQ", image, at)
    if kind == 1:
        loads.append((address, flags, offset, inFile, inMemory, at))
executable = [l for l in loads if l[0] >= 0x1000000 and l[1] & 1]
def changed(name, offset, value):
    data = bytearray(image)
    data[offset:offset + len(value)] = value
    open(name, "wb").write(data)
text, door = executable[0], executable[1]
changed("door", door[2] + 1, bytes([image[door[2] + 1] ^ 1]))
changed("text", text[2], bytes([image[text[2]] ^ 1]))
bss = [l for l in loads if l[0] >= 0x1000000 and l[3] == 0][0]
changed("bss", bss[5] + 40, struct.pack("<Q", bss[4] + 8192))

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
