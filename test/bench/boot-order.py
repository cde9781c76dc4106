#!/usr/bin/env python3
"""What a guest uses when it starts, for `spacer atlas plan --order-file`.

    boot-order.py IMAGE TRACE [IMAGE TRACE]... > boot.order

TRACE has addresses, one a line, in the order of their first use (qemu-boot-cost.c writes one); IMAGE is the image with its symbols.
Prints the names of functions and objects at these addresses, each once: first what most images use, and of that what is used first.
"""

import bisect
import collections
import subprocess
import sys


def symbolsOf(image):
    """(address, end, names) by rising address: all that have a size, for a unit has one of them."""
    out = subprocess.run(["llvm-nm-19", "-n", "-S", "--defined-only", image], check=True, capture_output=True, text=True).stdout
    found = {}
    for words in (line.split() for line in out.splitlines()):
        if len(words) == 4 and words[2] in "tTwWvVdDbBrR" and int(words[1], 16):
            at = int(words[0], 16)
            name = words[3].removesuffix("@spacer.got").removesuffix("@spacer")  # a slot is its function
            end, names = found.get(at, (at, []))
            found[at] = max(end, at + int(words[1], 16)), [*names, name]
    return sorted((at, end, names) for at, (end, names) in found.items())


def namesIn(symbols, trace):
    starts = [s[0] for s in symbols]
    names = {}
    for line in open(trace):
        address = int(line, 16)
        i = bisect.bisect_right(starts, address) - 1
        if i >= 0 and address < symbols[i][1]:
            for name in symbols[i][2]:
                names.setdefault(name, len(names))
    return names


def main(arguments):
    if len(arguments) < 2 or len(arguments) % 2:
        sys.exit(__doc__.strip())
    uses, turn = collections.Counter(), {}
    for image, trace in zip(arguments[::2], arguments[1::2]):
        for name, position in namesIn(symbolsOf(image), trace).items():
            uses[name] += 1
            turn[name] = min(position, turn.get(name, position))
    for name in sorted(uses, key=lambda n: (-uses[n], turn[n], n)):
        print(name)


main(sys.argv[1:])
