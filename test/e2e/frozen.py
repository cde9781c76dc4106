#!/usr/bin/env python3
"""A frozen link never changes the atlas; what the atlas lacks is private, what it has is shared, and the program is right.

The atlas knows hello and lua in the version without patches. Then every application in both versions is linked frozen, in
each of the forms of trampoline; also two at once, with the atlas read-only, and with a delta's worth of new code. Checked:
  1. the atlas has the same bytes and the same time of change, and nothing lies beside it;
  2. the program prints what stock lld's prints;
  3. shared pages are the atlas's, byte for byte; what is private is said to be so in the manifest;
  4. an image that the atlas knows entirely is the same byte for byte as the grown link's; a second frozen link is, too.

LD_SPACER and SPACER name the tools."""

import os
import pathlib
import subprocess

from harness import (Image, Refused, apps, bedFolder, expectedOutput, imageProblem, link, linkArgv, main, manifest,
                     runProgram)


def state(atlas):
    info = os.stat(atlas)
    return atlas.read_bytes(), info.st_mtime_ns, info.st_ino, sorted(p.name for p in atlas.parent.iterdir())


def classes(path):
    count = {}
    for _, kind, _ in manifest(Image(pathlib.Path(path))):
        count[kind] = count.get(kind, 0) + 1
    return ", ".join(f"{n} {kind}" for kind, n in sorted(count.items()))


def body(options, tools, checks, work):
    bed = bedFolder(options.compiler, options.sections)
    for trampolines in options.trampolines.split(","):
        place = work / trampolines
        place.mkdir()
        atlas = place / "fleet.atlas"
        flags = [f"--spacer-atlas={atlas}", f"--spacer-trampolines={trampolines}"]
        grown = {}
        for app in ("hello", "lua"):
            out = work / f"{trampolines}-{app}-grown"
            link(linkArgv(tools.ld, bed / "base", app, out, *flags))
            grown[app] = out.read_bytes()
        atlas.chmod(0o444)
        before = state(atlas)

        for version in ("base", "patched"):
            for app in apps():
                out = work / f"{trampolines}-{app}-{version}"
                name = f"{trampolines}: {app} {version}"
                argv = linkArgv(tools.ld, bed / version, app, out, *flags, "--spacer-mode=frozen")
                problem = frozenProblem(tools, bed / version, app, argv, out, atlas, before, work)
                if not problem and version == "base" and app in grown and out.read_bytes() != grown[app]:
                    problem = "the atlas knows all of it, but the image is not the grown link's"
                checks.check(name, problem, "" if problem else classes(out))

        outs = [work / f"{trampolines}-at-once-{n}" for n in range(2)]
        started = [subprocess.Popen(linkArgv(tools.ld, bed / "patched", app, out, *flags, "--spacer-mode=frozen"))
                   for app, out in zip(("lua", "combo"), outs)]
        problem = "one failed" if any([p.wait() for p in started]) else None
        if not problem and state(atlas) != before:
            problem = "the atlas changed"
        checks.check(f"{trampolines}: two at once", problem)


def frozenProblem(tools, folder, app, argv, out, atlas, before, work):
    try:
        link(argv)
    except Refused as e:
        return e
    if state(atlas) != before:
        return "the atlas changed"
    problem = imageProblem(out, atlas, tools, frozen=True)
    if problem:
        return problem
    found, wanted = runProgram(out, app), expectedOutput(tools, folder, app, work)
    if found != wanted:
        return (f"its program ends with {found[0]} after {len(found[1])} bytes, "
                f"stock lld's with {wanted[0]} after {len(wanted[1])}")
    first = out.read_bytes()
    try:
        link(argv)
    except Refused as e:
        return f"linked again: {e}"
    return None if out.read_bytes() == first else "linked again, it has other bytes"


main(__doc__, body, [
    ("--trampolines", dict(default="auto,none", help="[auto,none]; there are auto, door, entry, none")),
    ("--compiler", dict(default="clang", help="[clang]")),
    ("--sections", dict(default="yes", help="[yes]")),
])
