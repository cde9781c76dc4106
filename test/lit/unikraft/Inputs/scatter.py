#!/usr/bin/env python3
"""Libraries whose pages lie far apart in an atlas, and an image that uses a few of them.

    scatter.py LIBRARIES FUNCTIONS VERSION USED

Prints assembler for split-file: libN.s with so many functions, each on six pages of its own with a constant and a variable,
and app.s, which calls every USED-th of all. A VERSION changes every third function.
"""

import sys

libraries, functions, version, used = map(int, sys.argv[1:])


def function(name, content):
    return f"""\
  .section .text.{name},"ax",@progbits
  .globl {name}
  .type {name},@function
{name}:
  movl ${content}, %eax
  movl constant_{name}(%rip), %ecx
  movl variable_{name}(%rip), %ecx
  ret
  .fill 24576 - (. - {name}), 1, 0x90
  .size {name}, . - {name}
  .section .rodata.constant_{name},"a",@progbits
  .type constant_{name},@object
constant_{name}:
  .fill 24576, 1, {content & 255}
  .size constant_{name}, 24576
  .section .data.variable_{name},"aw",@progbits
  .type variable_{name},@object
variable_{name}:
  .fill 24576, 1, {content + 1 & 255}
  .size variable_{name}, 24576
"""


calls = []
for lib in range(libraries):
    print(f"#--- lib{lib}.s")
    for i in range(functions):
        changed = (lib + i) % 3 == version % 3
        print(function(f"f{lib}_{i}", lib * 1000 + i + (100000 * version if changed else 0)), end="")
        if (lib * functions + i) % used == 0:
            calls.append(f"f{lib}_{i}")
print("#--- app.s\n  .globl _start\n_start:")
print("".join(f"  call {name}\n" for name in calls), end="  hlt\n")
