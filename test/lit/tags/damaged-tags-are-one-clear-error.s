## Tags that cannot be: the file, where, what was found and expected; the atlas is not made.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %as app.s -o app.o
# RUN: %as short.s -o short.o && not %spacer_ld app.o short.o -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s --check-prefix=SHORT
# RUN: %as magic.s -o magic.o && not %spacer_ld app.o magic.o -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s --check-prefix=MAGIC
# RUN: %as version.s -o version.o && not %spacer_ld app.o version.o -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s --check-prefix=VERSION
# RUN: %as long.s -o long.o && not %spacer_ld app.o long.o -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s --check-prefix=LONG
# RUN: %as string.s -o string.o && not %spacer_ld app.o string.o -o image --spacer-atlas=a.atlas 2>&1 | FileCheck %s --check-prefix=STRING
# RUN: not ls a.atlas
# SHORT: error: short.o: .spacer.tags at offset 0x0: 4 bytes left, expected a chunk of 24
# MAGIC: error: magic.o: .spacer.tags at offset 0x0: no chunk begins here
# VERSION: error: version.o: .spacer.tags at offset 0x0: version 9, expected 1
# LONG: error: long.o: .spacer.tags at offset 0x0: a chunk of 24 bytes with 1 entries, 24 bytes are left
# STRING: error: string.o: .spacer.tags at offset 0x0: a string at 0x40, expected one from 0x18 to 0x20; compile the file again, or drop the section with objcopy -R .spacer.tags

#--- app.s
  .globl _start
_start: ret

#--- short.s
  .section .spacer.tags,"e",@progbits
  .ascii "SpTg"

#--- magic.s
  .section .spacer.tags,"e",@progbits
  .ascii "NoTg"
  .space 20

#--- version.s
  .section .spacer.tags,"e",@progbits
  .ascii "SpTg"
  .short 9, 0
  .long 24, 0, 0, 0

#--- long.s
  .section .spacer.tags,"e",@progbits
  .ascii "SpTg"
  .short 1, 0
  .long 24, 1, 0, 0

#--- string.s
  .section .spacer.tags,"e",@progbits
  .ascii "SpTg"
  .short 1, 0
  .long 32, 0, 0x40, 0
  .space 8
