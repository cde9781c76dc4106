.include "code.inc"
.section .rodata.absolute,"a"
.balign 8
absoluteTable: .quad .Lc, .Lb, .Ld, .La
.section .rodata.relative,"a"
.balign 4
relativeTable:
  .long .Lh - relativeTable, .Lg - relativeTable, .Lf - relativeTable, .Le - relativeTable
