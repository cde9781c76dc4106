#!/usr/bin/env python3
"""Pages that a new version of a library adds, its objects made without the compiler pass and with it.

Each library is linked whole (--whole-archive, --no-gc-sections) into an application, first its base version and then,
on the same atlas, the other one: Debian's patches, or `edited`, 10 comment lines at the top of its largest file. Counted
from the images' bytes: pages of the second image (address and content) that the first does not have.

`door` and `entry` treat both alike. For `auto` the objects with the pass bring static call frequencies of their own; the
others get --call-graph-ordering-file, from callgrind and the application's own workload (auto without any profile is
door, the first row).
Bars of the issue: the sum with the pass at most what it is without, everywhere; `edited` at most 2 pages; libxml2's patches under
auto at most 70 text pages."""

import subprocess

from measure import classPages, link, linkArgv, main, passFolders, table, wholeLibrary

from callgraph import profileOf

CLASSES = ("text", "rodata", "door", "data")
APPS = {"xml2": "xml", "expat": "expat", "sqlite3": "sqlite", "lua": "lua", "z": "zlib", "musl": "hello"}
PATCHED = ("xml2", "expat", "sqlite3")


def compilerLibrary():
    """What musl as a whole needs of the compiler: products of complex numbers."""
    argv = ["gcc", "-print-libgcc-file-name"]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def newPages(tools, bed, library, version, mode, profile, work):
    """{class: pages} that `version` adds to base."""
    app, atlas, images = APPS[library], work / "delta.atlas", []
    atlas.unlink(missing_ok=True)
    for number, v in enumerate(("base", version)):
        out = work / f"image-{number}"
        flags = [f"--spacer-atlas={atlas}", f"--spacer-trampolines={mode}"]
        if mode == "auto" and profile:
            flags.append(f"--call-graph-ordering-file={profile}")
        if library == "musl":
            flags.append(compilerLibrary())
        link(wholeLibrary(linkArgv(tools.ld, bed / v, app, out, *flags), library))
        images.append(classPages(out))
    old, new = images
    added = {k: len(new.get(k, set()) - old.get(k, set())) for k in CLASSES}
    added["sum"] = sum(added.values())
    return added


def verdict(library, version, mode, without, found):
    """What missed its bar, or that all met it."""
    missed = [f"{found['sum']} > {without['sum']}"] if found["sum"] > without["sum"] else []
    if version == "edited" and found["sum"] > 2:
        missed.append(f"edited {found['sum']} > 2")
    if (library, version, mode) == ("xml2", "patched", "auto") and found["text"] > 70:
        missed.append(f"text {found['text']} > 70")
    return "MISSED: " + ", ".join(missed) if missed else "met"


def body(options, tools, work):
    beds = passFolders("base,patched,edited")
    found, rows = {}, []
    chosen = options.libraries.split(",")
    for version in options.versions.split(","):
        for library in chosen:
            if version == "patched" and library not in PATCHED:
                continue
            for mode in options.trampolines.split(","):
                profile = profileOf(tools, beds["without"] / "base", APPS[library], work) if mode == "auto" else None
                sides = {side: newPages(tools, bed, library, version, mode, profile if side == "without" else None, work)
                         for side, bed in beds.items()}
                found[f"{library} {version} {mode}"] = sides
                both = [f"{sides['without'][k]} {sides['with'][k]}" for k in (*CLASSES, "sum")]
                rows.append([f"{library} {version} {mode}", *both, verdict(library, version, mode, *sides.values())])
    print("new pages, without the pass and with it")
    table(["", *CLASSES, "sum", "bar"], rows)
    return found


main(__doc__, body, [
    ("--libraries", dict(default=",".join(APPS), help="[%(default)s]")),
    ("--versions", dict(default="patched,edited", help="[patched,edited]")),
    ("--trampolines", dict(default="door,auto", help="modes [door,auto]")),
])
