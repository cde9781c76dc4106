#!/usr/bin/env python3
"""Without --spacer flags the linker is lld: its output equals stock ld.lld-19's byte for byte.

Every image of the test bed, in both versions and both forms, of each configuration of compiler and sections that has been
built; also with other flags of lld.
LD_SPACER names the linker."""

import os
import pathlib

from harness import Refused, apps, bedFolder, link, linkArgv, main

# name, flags
VARIANTS = (
    ("build ID", ["--build-id=sha1"]),
    ("emit relocations", ["--emit-relocs"]),
    ("folding", ["--icf=all"]),
    ("no garbage collection", ["--no-gc-sections"]),
    ("merged tails", ["-O2"]),
    ("stripped", ["--strip-all"]),
    ("hashed symbols", ["--hash-style=both", "-z", "separate-code"]),
    ("threads", ["--threads=1"]),
)


def configurations(wanted):
    cache = pathlib.Path(os.environ.get("SPACER_CACHE") or pathlib.Path.home() / ".cache" / "spacer-delta") / "bed"
    for compiler in ("clang", "gcc"):
        for sections in ("yes", "no"):
            name = f"{compiler}-O2-{'sections' if sections == 'yes' else 'nosections'}"
            if wanted == "all" or name in wanted.split(","):
                yield name, bedFolder(compiler, sections)
            elif wanted == "built" and all((cache / name / v / "key").exists() for v in ("base", "patched")):
                yield name, cache / name


def body(options, tools, checks, work):
    stock = tools.needStock()
    ours, theirs = work / "ours", work / "theirs"

    def compare(name, folder, app, linux, flags=()):
        # Both write to one name, which may stand in the output.
        out = work / "image"
        try:
            for ld, kept in ((stock, theirs), (tools.ld, ours)):
                link(linkArgv(ld, folder, app, out, *flags, linux=linux))
                out.replace(kept)
        except Refused as e:
            checks.fails(name, e)
            return
        same = ours.read_bytes() == theirs.read_bytes()
        checks.check(name, not same and f"{ours.stat().st_size} bytes differ from stock's {theirs.stat().st_size}")

    count = 0
    for name, bed in configurations(options.configurations):
        count += 1
        for version in ("base", "patched"):
            for app in apps():
                for linux in (True, False):
                    compare(f"{name}: {app} {version} {'linux' if linux else 'unikernel'}", bed / version, app, linux)
        for what, flags in VARIANTS:
            compare(f"{name}: combo base, {what}", bed / "base", "combo", True, flags)
    if not count:
        checks.skips("no-flags", "no configuration of the test bed is built: see test/bed/build.sh")


main(__doc__, body, [
    ("--configurations", dict(default="built", help="built (those that are), all, or names such as clang-O2-sections "
                                                    "[built]")),
])
