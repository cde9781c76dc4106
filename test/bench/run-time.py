#!/usr/bin/env python3
"""What slots cost at run time: Lua and SQLite workloads as static Linux programs, by each mode of trampolines.

Instructions by callgrind, which counts exactly; time by paired runs against `none`, pinned to one processor, as user +
system time, median of the ratios of neighbours. `auto` gets a profile of the same workload, by callgrind-to-profile.py.
The programs are a first version's: no entry has moved. stock is stock lld's program, for comparison; its layout
differs, so its time may.
Bars of the issue: auto ≤ 0.5% instructions and ≤ 1% time; entry 0 instructions."""

import os

from measure import bedFolder, link, linkArgv, main, paired, table

from callgraph import INPUTS, callgrind, profileOf

MODES = ("none", "auto", "entry", "door")


def programs(tools, bed, app, work):
    profile = profileOf(tools, bed, app, work, INPUTS[app])
    found = {"stock": work / f"{app}-stock"}
    for mode in MODES:
        found[mode] = work / f"{app}-{mode}"
        flags = [f"--spacer-atlas={work}/{app}-{mode}.atlas", f"--spacer-trampolines={mode}"]
        if mode == "auto":
            flags.append(f"--call-graph-ordering-file={profile}")
        link(linkArgv(tools.ld, bed, app, found[mode], *flags))
    return found


def body(options, tools, work):
    bed = bedFolder(options.compiler) / "base"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.chdir(work)
    found, rows = {}, []
    for app, repeats in (("lua", options.lua), ("sqlite", options.sqlite)):
        images = programs(tools, bed, app, work)
        count = {m: callgrind(i, app, INPUTS[app], work / "callgrind.out") for m, i in images.items()}
        base = [images["none"], repeats]
        for mode in ("stock", *MODES):
            more = count[mode] / count["none"] - 1
            took = paired(options.runs, base, [images[mode], repeats]) if options.runs else {"cpu": [0, 0, 1]}
            time = took["cpu"][2] - 1
            bars = {"auto": more <= 0.005 and (time <= 0.01 or not options.runs), "entry": more <= 0}.get(mode)
            found[f"{app} {mode}"] = {"instructions": count[mode], "more": more, "time": took["cpu"]}
            rows.append([f"{app} {mode}", f"{count[mode] / 1e6:.2f}", f"{100 * more:+.3f}%",
                         f"{1e3 * took['cpu'][1]:.0f}", f"{100 * time:+.2f}%",
                         "" if bars is None else "met" if bars else "MISSED"])
    print(f"million instructions, once; ms of time, {options.runs} pairs; both against `none`")
    table(["", "instructions", "more", "time", "more", "bar"], rows)
    return found


main(__doc__, body, [
    ("--runs", dict(type=int, default=15, help="pairs of timed runs; 0 for instructions alone [15]")),
    ("--lua", dict(type=int, default=40, metavar="REPEATS", help="of the timed Lua workload [40]")),
    ("--sqlite", dict(type=int, default=15, metavar="REPEATS", help="of the timed SQLite workload [15]")),
    ("--compiler", dict(default="clang", help="[clang]")),
])
