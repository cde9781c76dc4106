#!/usr/bin/env python3
"""What a plan gains over first-come order: for a list of units, and for images of the test bed that are really linked.

The list (the argument, such as the units of five Unikraft images) is planned as it is; what is timed is the whole command,
reading included. The bed's images, both versions, are linked on one atlas as they come and on a planned one; `spacer compare`
counts their pages, `spacer verify` says whether each is the atlas's, and the planned links must leave the atlas as it was.
Bars of the issue, text and read-only data: efficiency ≥ 0.99; 31,291 units in ≤ 2 s."""

import json
import shlex
import subprocess
import time

from measure import apps, bar, bedFolder, link, linkArgv, main, table


def spacer(tools, *words):
    return json.loads(subprocess.run([tools.spacer, *words, "--json"], check=True, capture_output=True).stdout)


def planList(options, tools, result):
    begin = time.monotonic()
    plan = spacer(tools, "atlas", "plan", options.list, f"--function-align={options.align}")
    seconds = time.monotonic() - begin
    rows = [[name, c["firstCome"], c["planned"], c["ideal"], f"{c['efficiencyFirstCome']:.3f}",
             f"{c['efficiencyPlanned']:.3f}",
             bar(c["efficiencyPlanned"], 0.99, True) if name == "textAndRodata" else ""]
            for name, c in plan["pages"].items()]
    table(["pages", "first come", "planned", "ideal", "efficiency", "planned", "bar"], rows)
    print(f"{sum(g['units'] for g in plan['groups'])} distinct units, {seconds:.2f} s, {bar(seconds, 2)}")
    result["list"] = {"pages": plan["pages"], "seconds": seconds}


def linkBed(options, tools, work, result):
    bed = bedFolder(options.compiler, "yes")
    images = [(v, a) for v in ("base", "patched") for a in apps()]

    def argv(version, app, folder, *flags):
        return linkArgv(tools.ld, bed / version, app, folder / f"{app}-{version}", *flags, linux=options.linux)

    commands = work / "links"
    commands.write_text("".join(shlex.join(map(str, argv(v, a, work))) + "\n" for v, a in images))
    begin = time.monotonic()
    plan = spacer(tools, "atlas", "plan", f"--atlas={work}/planned.atlas", f"--link-file={commands}",
                  f"--function-align={options.align}")
    seconds = time.monotonic() - begin
    before = (work / "planned.atlas").read_bytes()
    rows = []
    for way in ("first", "planned"):
        folder = work / way
        folder.mkdir()
        for v, a in images:
            link(argv(v, a, folder, f"--spacer-atlas={work}/{way}.atlas"))
        paths = [str(folder / f"{a}-{v}") for v, a in images]
        spacer(tools, "verify", *paths, "--atlas", f"{work}/{way}.atlas")
        found = spacer(tools, "compare", *paths)
        result[way] = {k: found[k] for k in ("pages", "distinctPages", "idealPages", "efficiency")}
        rows.append([way, *(found[k] for k in ("pages", "distinctPages", "idealPages")), f"{found['efficiency']:.3f}"])
    if (work / "planned.atlas").read_bytes() != before:
        raise SystemExit("the links changed the planned atlas")
    print(f"\n{len(images)} images, {plan['rounds'] + 1} links of each for the plan, {seconds:.1f} s")
    table(["the bed's images", "pages in all", "distinct", "ideal", "efficiency"], rows)


def body(options, tools, work):
    result = {}
    if options.list:
        planList(options, tools, result)
    if not options.no_bed:
        linkBed(options, tools, work, result)
    return result


main(__doc__, body, [
    ("list", dict(nargs="?", help="a list of units, as --spacer-units writes it; also .gz")),
    ("--align", dict(default="2", help="--function-align [2]")),
    ("--no-bed", dict(action="store_true", help="only the list")),
    ("--linux", dict(action="store_true", help="static Linux programs instead of unikernels")),
    ("--compiler", dict(default="clang", help="[clang]")),
])
