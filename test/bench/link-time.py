#!/usr/bin/env python3
"""Time of a link against the same binary without flags: on a warm atlas, and the first link.

The application `combo` with its libraries whole (--whole-archive), so that there are well over 5,000 units; paired runs,
medians of user + system time and of wall time. Bars of the issue: warm ≤ 1.15, first ≤ 1.5."""

import sqlite3

from measure import bar, bedFolder, link, linkArgv, main, paired, table


def body(options, tools, work):
    bed = bedFolder(options.compiler) / "base"
    atlas, fresh = work / "warm.atlas", work / "first.atlas"

    def command(*flags):
        argv = linkArgv(tools.ld, bed, "combo", work / "image", *options.flags.split(), *flags)
        start = argv.index("--start-group")
        return argv[:start] + (["--whole-archive"] if options.whole else []) + argv[start:]

    plain = command()
    warm = command(f"--spacer-atlas={atlas}")
    first = command(f"--spacer-atlas={fresh}")
    link(warm)
    db = sqlite3.connect(atlas)
    units = sum(db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("unit", "place"))
    db.close()
    found = {"units": units, "warm": paired(options.runs, plain, warm),
             "first": paired(options.runs, plain, first, beforeSecond=lambda: fresh.unlink(missing_ok=True))}
    print(f"{units} units and places, {options.runs} pairs of runs, medians in ms")
    rows = []
    for name, limit in (("warm", 1.15), ("first", 1.5)):
        for what in ("cpu", "wall"):
            a, b, ratio = found[name][what]
            rows.append([f"{name} atlas, {what}", f"{a * 1e3:.1f}", f"{b * 1e3:.1f}", f"{ratio:.3f}", bar(ratio, limit)])
    table(["", "without", "with", "ratio", "bar"], rows)
    return found


main(__doc__, body, [
    ("--runs", dict(type=int, default=21, help="pairs [21]")),
    ("--compiler", dict(default="clang", help="[clang]")),
    ("--flags", dict(default="", help="more linker flags for both, such as --threads=1")),
    ("--live", dict(dest="whole", action="store_false", help="without --whole-archive")),
])
