#!/usr/bin/env python3
"""What the compiler pass costs when compiling: user + system time with it against without, paired and interleaved.

A sample of the C files of libxml2, lua, zlib and musl, evenly taken from their lists, and sqlite3.c; with the bed's own
flags, a section per function and object on both sides. A library's time is the sum over its files of the median.
Bar of the issue: ≤ 1.05."""

import os

from measure import bar, main, paired, passFolders, table

from harness import compileCommands

SAMPLE = {"xml2": 12, "lua": 10, "z": 8, "musl": 10, "sqlite3": 1}


def shell(command, source, tree, out):
    words = " ".join(f"'{word}'" for word in [*command, "-c", source, "-o", out])
    return ["/bin/sh", "-c", f"cd '{tree}' && exec {words}"]


def body(options, tools, work):
    beds = passFolders("base")
    commands = {side: {(library, source): (argv, source, tree) for library, source, tree, argv in
                       compileCommands(bed, "base")} for side, bed in beds.items()}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found, rows, sums = {}, [], [0, 0]
    for library, number in SAMPLE.items():
        every = sorted(key for key in commands["with"] if key[0] == library)
        chosen = [every[i * len(every) // number] for i in range(min(number, len(every)))]
        took = [0, 0]
        for key in chosen:
            argvs = [shell(*commands[side][key], work / f"{side}.o") for side in ("without", "with")]
            a, b, ratio = paired(options.runs if library != "sqlite3" else options.sqlite, *argvs)["cpu"]
            found["/".join(key)] = [a, b, ratio]
            took = [took[0] + a, took[1] + b]
        sums = [sums[0] + took[0], sums[1] + took[1]]
        rows.append([library, len(chosen), *(f"{t:.2f}" for t in took), f"{took[1] / took[0]:.3f}", ""])
    ratio = sums[1] / sums[0]
    rows.append(["together", sum(r[1] for r in rows), *(f"{t:.2f}" for t in sums), f"{ratio:.3f}", bar(ratio, 1.05)])
    found["ratio"] = ratio
    print(f"seconds; {options.runs} pairs, {options.sqlite} of sqlite3.c")
    table(["", "files", "without", "with", "ratio", "bar"], rows)
    return found


main(__doc__, body, [
    ("--runs", dict(type=int, default=3, help="pairs for each file [3]")),
    ("--sqlite", dict(type=int, default=2, help="pairs for sqlite3.c [2]")),
])
