#!/usr/bin/env python3
"""Equal inputs give equal images and equal atlas rows, wherever they lie and however the link is run.

A fleet of applications is linked in one order on a new atlas, again and again:
  - once more in the same place;
  - from copies of all inputs in another folder, with relative paths and another working directory;
  - with --threads=1 and --threads=2;
  - with another environment.
Every image has to be the same byte for byte, and the atlas row for row. Then
  - with the members of each archive in reverse order, and with the archives in reverse order.
Here lld itself puts private sections in another order, so what has to be the same is all that is shared: every row of
the atlas but the contents of pages that point into the image (doors, data); and then, the numbers of those rows too.

LD_SPACER names the linker."""

import os
import shutil
import subprocess

from harness import Refused, Skip, bedFolder, dump, link, linkArgv, main

APPS = ("hello", "lua", "combo")


def fleet(tools, bed, place, flags=(), change=lambda argv: argv, **how):
    """Links all applications and both versions; returns ({name: bytes}, rows)."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    atlas, images = place / "fleet.atlas", {}
    for version in ("base", "patched"):
        for app in APPS:
            out = place / f"{app}-{version}"
            argv = linkArgv(tools.ld, bed / version, app, out, f"--spacer-atlas={atlas}", *flags)
            link(change(argv), **how)
            images[out.name] = out.read_bytes()
    return images, dump(atlas)


def difference(expected, found):
    for name, data in expected[0].items():
        other = found[0][name]
        if data != other:
            at = next((i for i, (a, b) in enumerate(zip(data, other)) if a != b), min(len(data), len(other)))
            return f"{name}: {len(other)} bytes, differs from {len(data)} at offset {at:#x}"
    return rowDifference(expected[1], found[1])


def rowDifference(expected, found):
    tables = {}
    for sign, rows, others in (("-", expected, set(found)), ("+", found, set(expected))):
        for table, row in rows:
            if (table, row) not in others:
                tables.setdefault(table, {}).setdefault(sign, []).append(row)
    if not tables:
        return None if expected == found else "atlas: the same rows in another order"

    def show(rows):
        return " ".join(hex(v) if isinstance(v, int) and v > 0xffff else str(v)
                        for v in rows[0] if not isinstance(v, bytes)) if rows else "nothing"

    return "atlas: " + "; ".join(f"{max(map(len, d.values()))} rows of {table}, such as {show(d.get('-'))} → "
                                 f"{show(d.get('+'))}" for table, d in tables.items())


def reorderedDifference(expected, found):
    """Rows that may not depend on where the image's own code stands; numbers that only count rows left out."""
    return rowDifference(meaning(expected[1]), meaning(found[1]))


def meaning(rows):
    shared = [(row[0], row[0] + row[2]) for table, row in rows if table == "part" and row[1] in (1, 2)]
    libraries = dict(row for table, row in rows if table == "library")
    column = {"unit": 5, "place": 7, "slot": 5, "extent": 3}
    result = []
    for table, row in rows:
        if table in column:
            row = list(row)
            row[column[table]] = libraries[row[column[table]]]
            if table != "extent":
                row[0] = 0
        elif table == "library":
            row = row[1:]
        elif table == "pack" or table == "page" and not any(base <= row[0] < end for base, end in shared):
            continue
        result.append((table, tuple(row)))
    return sorted(result)


def orderDifference(expected, found):
    """The same, numbers included."""
    def numbered(rows):
        return [(t, row) for t, row in rows if t in ("library", "unit", "place", "slot")]

    return rowDifference(numbered(expected[1]), numbered(found[1]))


def copyBed(bed, to, reverse=False):
    """The inputs in another folder; with `reverse`, archive members in the opposite order."""
    for version in ("base", "patched"):
        for part in ("crt", "obj", "lib"):
            shutil.copytree(bed / version / part, to / version / part)
        if reverse:
            for archive in (to / version / "lib").glob("*.a"):
                archive.write_bytes(membersReversed(archive.read_bytes()))
                subprocess.run(["llvm-ranlib-19", archive], check=True)
    return to


def membersReversed(data):
    """An archive's members in reverse order, without its symbol table. (Members of one name rule out `ar x`.)"""
    names, members, at = b"", [], 8
    while at < len(data):
        size = int(data[at + 48:at + 58])
        member = data[at:at + 60 + size + size % 2]
        name = member[:16].rstrip()
        if name == b"//":
            names = member
        elif name not in (b"/", b"/SYM64/"):
            members.append(member)
        at += len(member)
    return data[:8] + names + b"".join(reversed(members))


def relativeTo(folder):
    return lambda argv: [os.path.relpath(a, folder) if a.startswith("/") and os.path.exists(a) and a != argv[0] else a
                         for a in argv]


def archivesReversed(argv):
    first, last = argv.index("--start-group"), argv.index("--end-group")
    return argv[:first + 1] + argv[last - 1:first:-1] + argv[last:]


def body(options, tools, checks, work):
    if not shutil.which("llvm-ranlib-19"):
        raise Skip("llvm-ranlib-19 is missing")
    bed = bedFolder(options.compiler)
    for trampolines in options.trampolines.split(","):
        flags = (f"--spacer-trampolines={trampolines}",)
        first = fleet(tools, bed, work / "first", flags)

        def compare(name, *arguments, by=difference, **how):
            try:
                checks.check(f"{trampolines}: {name}", by(first, fleet(tools, *arguments, **how)),
                             f"{len(first[0])} images, {len(first[1])} rows")
            except Refused as e:
                checks.fails(f"{trampolines}: {name}", e)

        compare("again", bed, work / "first", flags)
        copied, turned = work / "copied", work / "turned"
        if not copied.exists():
            copyBed(bed, copied)
            copyBed(bed, turned, reverse=True)
        compare("inputs and output in another folder", copied, work / "elsewhere", flags)
        compare("relative paths", copied, work / "relative", flags, change=relativeTo(copied), cwd=copied)
        compare("one thread", bed, work / "one", (*flags, "--threads=1"))
        compare("two threads", bed, work / "two", (*flags, "--threads=2"))
        compare("another environment", bed, work / "environment", flags,
                env={"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "MALLOC_PERTURB_": "85"})
        compare("archives in reverse order", bed, work / "archives", flags, archivesReversed, by=reorderedDifference)
        compare("archives in reverse order, numbers of rows", bed, work / "archives", flags, archivesReversed,
                by=orderDifference)
        compare("members in reverse order", turned, work / "members", flags, by=reorderedDifference)
        compare("members in reverse order, numbers of rows", turned, work / "members", flags, by=orderDifference)


main(__doc__, body, [
    ("--trampolines", dict(default="auto,entry", help="modes to try [auto,entry]")),
    ("--compiler", dict(default="clang", help="[clang]")),
])
