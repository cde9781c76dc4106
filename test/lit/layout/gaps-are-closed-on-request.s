## --spacer-close-gaps loads zero pages where between two loaded ones nothing is, up to that size: from the image's end to the
## last shared page every page is in a segment then, and neither the file's shared pages nor the number of protections change.
# REQUIRES: ld.spacer, spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as lib.s -o lib.o && llvm-ar rcs libone.a lib.o && %as app.s -o app.o
# RUN: %spacer_ld app.o libone.a -o open --spacer-atlas=a.atlas --spacer-window=0x400000:32M --image-base=0x100000
# RUN: %spacer_ld app.o libone.a -o closed --spacer-atlas=a.atlas --image-base=0x100000 --spacer-close-gaps=4M
# RUN: %spacer_ld app.o libone.a -o small --spacer-atlas=a.atlas --image-base=0x100000 --spacer-close-gaps=64K
# RUN: llvm-readelf -lW open | FileCheck %s --check-prefix=OPEN
# RUN: llvm-readelf -lW closed | FileCheck %s
# RUN: llvm-readelf -lW small | FileCheck %s --check-prefix=SMALL
# RUN: %spacer verify --atlas a.atlas open closed small
# RUN: llvm-nm open | grep -v _start > names1 && llvm-nm closed | grep -v _start > names2 && diff names1 names2
# RUN: %python -c "import os; assert os.path.getsize('closed') - os.path.getsize('open') < 40000"
# RUN: not %spacer_ld app.o libone.a -o no --spacer-atlas=a.atlas --spacer-close-gaps=many 2>&1 | FileCheck %s --check-prefix=BAD
# BAD: error: --spacer-close-gaps=many: expected a size, such as 0x400000 or 4M

# OPEN:      LOAD {{.*}} 0x0000000000400000 {{.*}} 0x001000 0x001000 R E
# OPEN-NEXT: LOAD {{.*}} 0x0000000000410000 {{.*}} 0x000000 0x001000 RW
# OPEN-NEXT: LOAD {{.*}} 0x0000000000420000 {{.*}} 0x001000 0x001000 R E

# CHECK:      LOAD {{.*}} 0x000000 0x2{{[0-9a-f]+}}000 R {{ *}}0x1000
# CHECK-NEXT: LOAD {{.*}} 0x0000000000400000 {{.*}} 0x001000 0x010000 R E
# CHECK-NEXT: LOAD {{.*}} 0x0000000000410000 {{.*}} 0x000000 0x010000 RW
# CHECK-NEXT: LOAD {{.*}} 0x0000000000420000 {{.*}} 0x001000 0x001000 R E

# SMALL-NOT:  LOAD {{.*}} 0x000000 0x2
# SMALL:      LOAD {{.*}} 0x0000000000400000 {{.*}} 0x001000 0x010000 R E
# SMALL-NEXT: LOAD {{.*}} 0x0000000000410000 {{.*}} 0x000000 0x010000 RW

#--- lib.s
  .section .text.f,"ax",@progbits
  .globl f
  .type f,@function
f: call g
  ret
  .size f, . - f
  .section .text.g,"ax",@progbits
  .globl g
  .type g,@function
g: movl room(%rip), %eax
  ret
  .size g, . - g
  .section .bss.room,"aw",@nobits
  .globl room
  .type room,@object
room: .zero 100
  .size room, 100

#--- app.s
  .globl _start
_start: call f
