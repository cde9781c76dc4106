#!/usr/bin/env python3
"""What the compiler pass costs at run time: Lua and SQLite workloads as static Linux programs.

Instructions by callgrind, which counts exactly; time by paired runs, pinned to one processor, as user + system time,
median of the ratios of neighbours. Each row names what it is compared with:
  with / without    the same link of objects with and without the pass: by stock lld, and by ld.spacer with slots `none`
  the same twice    one program against itself: what the clock alone makes
  auto / none       ld.spacer with the pass's own call frequencies, no profile run
Bars of the issue: with / without ≤ 1.01 each; auto ≤ 0.7% instructions and ≤ 1.5% time."""

import os

from measure import link, linkArgv, main, paired, passFolders, table

from callgraph import INPUTS, callgrind


def program(tools, bed, app, mode, work):
    out = work / f"{app}-{bed.name}-{mode}"
    if mode == "stock":
        link(linkArgv(tools.needStock(), bed / "base", app, out))
    else:
        link(linkArgv(tools.ld, bed / "base", app, out, f"--spacer-atlas={out}.atlas", f"--spacer-trampolines={mode}"))
    return out


def body(options, tools, work):
    beds = passFolders("base")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.chdir(work)
    found, rows, counts = {}, [], {}

    def count(app, image):
        if image not in counts:
            counts[image] = callgrind(image, app, INPUTS[app], work / "callgrind.out")
        return counts[image]

    for app, repeats in (("lua", options.lua), ("sqlite", options.sqlite)):
        images = {(side, mode): program(tools, bed, app, mode, work) for side, bed in beds.items()
                  for mode in ("stock", "none", "auto")}
        for name, base, other, most, mostTime in (
                ("none, the same twice", ("without", "none"), ("without", "none"), None, None),
                ("stock, with / without", ("without", "stock"), ("with", "stock"), 1.01, 1.01),
                ("none, with / without", ("without", "none"), ("with", "none"), 1.01, 1.01),
                ("with, auto / none", ("with", "none"), ("with", "auto"), 1.007, 1.015),
                ("without, auto / none", ("without", "none"), ("without", "auto"), None, None)):
            a, b = images[base], images[other]
            more = count(app, b) / count(app, a)
            took = paired(options.runs, [a, repeats], [b, repeats])["cpu"] if options.runs else [0, 0, 1]
            met = most and more <= most and (took[2] <= mostTime or not options.runs)
            found[f"{app}, {name}"] = {"instructions": [count(app, a), count(app, b), more], "time": took}
            rows.append([f"{app}, {name}", f"{count(app, a) / 1e6:.2f}", f"{count(app, b) / 1e6:.2f}", f"{more:.4f}",
                         f"{1e3 * took[0]:.0f}", f"{1e3 * took[1]:.0f}", f"{took[2]:.4f}",
                         "" if most is None else f"≤ {most:g}, ≤ {mostTime:g} {'met' if met else 'MISSED'}"])
    print(f"million instructions; ms, {options.runs} pairs")
    table(["", "instructions", "", "ratio", "time", "", "ratio", "bar"], rows)
    return found


main(__doc__, body, [
    ("--runs", dict(type=int, default=15, help="pairs of timed runs; 0 for instructions alone [15]")),
    ("--lua", dict(type=int, default=40, metavar="REPEATS", help="of the timed Lua workload [40]")),
    ("--sqlite", dict(type=int, default=40, metavar="REPEATS", help="of the timed SQLite workload [40]")),
])
