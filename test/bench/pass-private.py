#!/usr/bin/env python3
"""Units of libraries that the bed's images keep private, with the compiler pass and without; and why.

All applications in both versions as unikernels, on one atlas for each side; the numbers are the linker's report,
libraries.*.private, summed over images. Bar of the issue: at most half of what they are without the pass."""

import json

from measure import apps, bar, link, linkArgv, main, passFolders, table


def privateOf(tools, bed, work, flags, linux):
    """(units and bytes by library, by reason), over all images."""
    libraries, reasons, atlas, report = {}, {}, work / f"{bed.name}.atlas", work / "report.json"
    for version in ("base", "patched"):
        for app in apps():
            link(linkArgv(tools.ld, bed / version, app, work / "image", f"--spacer-atlas={atlas}",
                          f"--spacer-report={report}", *flags, linux=linux))
            said = json.loads(report.read_text())
            parts = [(libraries, n, lib["private"]) for n, lib in said["libraries"].items()]
            parts += [(reasons, why, count) for why, count in said["privateBecause"].items()]
            for sums, name, count in parts:
                entry = sums.setdefault(name, [0, 0])
                entry[0] += count["units"]
                entry[1] += count["bytes"]
    return libraries, reasons


def body(options, tools, work):
    beds = passFolders("all")
    found = {side: privateOf(tools, bed, work, options.flags.split(), options.linux) for side, bed in beds.items()}
    rows, result = [], {}
    for part, title in ((0, "library"), (1, "because of")):
        for name in sorted(found["without"][part].keys() | found["with"][part].keys()):
            counts = [found[side][part].get(name, [0, 0]) for side in beds]
            if counts != [[0, 0], [0, 0]]:
                rows.append([f"{title} {name}", *counts[0], *counts[1], ""])
    units = {side: sum(n for n, _ in found[side][0].values()) for side in beds}
    size = {side: sum(n for _, n in found[side][0].values()) for side in beds}
    ratio = units["with"] / units["without"] if units["without"] else 0
    rows.append(["all libraries", units["without"], size["without"], units["with"], size["with"],
                 f"{ratio:.2f} {bar(ratio, 0.5)}"])
    table(["", "units without", "bytes", "units with", "bytes", "bar"], rows)
    for side in beds:
        result[side] = {"libraries": found[side][0], "because": found[side][1], "units": units[side], "bytes": size[side]}
    return result


main(__doc__, body, [
    ("--linux", dict(action="store_true", help="static Linux programs instead of unikernels")),
    ("--flags", dict(default="", help="more linker flags")),
])
