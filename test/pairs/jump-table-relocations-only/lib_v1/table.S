.include "code.inc"
.section .rodata.absolute,"a"
.balign 8
absoluteTable: .quad .La, .Lb, .Lc, .Ld
.section .rodata.relative,"a"
.balign 4
relativeTable:
  .long .Le - relativeTable, .Lf - relativeTable, .Lg - relativeTable, .Lh - relativeTable
