#!/usr/bin/env python3
"""Time of a link on a warm atlas, and of the first link, against stock lld, and against the same binary without flags.

The application `combo` with its libraries whole (--whole-archive), so that there are well over 5,000 units; paired runs,
medians of user + system time and of wall time. Bars, against stock ld.lld-19: warm ≤ 1.15, first ≤ 1.5."""

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
    stock = [tools.needStock(), *plain[1:]]
    warm = command(f"--spacer-atlas={atlas}")
    first = command(f"--spacer-atlas={fresh}")
    link(warm)
    db = sqlite3.connect(atlas)
    units = sum(db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("unit", "place"))
    db.close()
    clean = dict(beforeSecond=lambda: fresh.unlink(missing_ok=True))
    found = {"units": units}
    print(f"{units} units and places, {options.runs} pairs of runs, medians in ms")
    rows = []
    for name, what, limit, argv, how in (("warm atlas", "warm", 1.15, warm, {}), ("first link", "first", 1.5, first, clean),
                                         ("without flags", "plain", None, plain, {})):
        for other, base in (("stock", stock), ("itself", plain)):
            if argv is base:
                continue
            result = found[what if other == "stock" else f"{what}/plain"] = paired(options.runs, base, argv, **how)
            for time in ("cpu", "wall"):
                a, b, ratio = result[time]
                judged = bar(ratio, limit) if limit and other == "stock" else ""
                rows.append([f"{name}, {time}", other, f"{a * 1e3:.1f}", f"{b * 1e3:.1f}", f"{ratio:.3f}", judged])
    table(["", "against", "it", "this", "ratio", "bar"], rows)
    return found


main(__doc__, body, [
    ("--runs", dict(type=int, default=21, help="pairs [21]")),
    ("--compiler", dict(default="clang", help="[clang]")),
    ("--flags", dict(default="", help="more linker flags for both, such as --threads=1")),
    ("--live", dict(dest="whole", action="store_false", help="without --whole-archive")),
])
