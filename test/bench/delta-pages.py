#!/usr/bin/env python3
"""Pages that a new version of libxml2 adds: without, then with Debian's 35 security patches, on one atlas.

The application `xml` with libxml2 whole (--whole-archive, --no-gc-sections), by each mode of trampolines. `auto` takes a
profile of the library's own workload, by callgrind-to-profile.py. Counted from the images' bytes: text and door pages
of the second image (address and content) that the first image does not have. 152 KB of changed text is 38 pages.
Bars of the issue, distinct text pages that are new: door ≤ 48, auto ≤ 60, entry ≤ 105."""

from measure import bar, bedFolder, classPages, link, linkArgv, main, table, wholeLibrary

from callgraph import profileOf

BARS = {"door": 48, "auto": 60, "entry": 105}


def body(options, tools, work):
    bed = bedFolder(options.compiler)
    profile = profileOf(tools, bed / "base", "xml", work, 1)
    found, rows = {}, []
    for mode in ("door", "auto", "entry", "none"):
        atlas, images = work / f"{mode}.atlas", []
        for version in ("base", "patched"):
            out = work / f"{mode}-{version}"
            argv = linkArgv(tools.ld, bed / version, "xml", out, f"--spacer-atlas={atlas}", f"--spacer-trampolines={mode}")
            argv = wholeLibrary(argv, "xml2")
            if mode == "auto":
                argv += [f"--call-graph-ordering-file={profile}"]
            link(argv)
            images.append(classPages(out))
        old, new = images
        added = {k: len(new.get(k, set()) - old.get(k, set())) for k in ("text", "door", "rodata", "data", "private")}
        moved = {a for a, _ in new["text"] - old["text"]} & {a for a, _ in old["text"]}
        added.update(variants=len(moved), total=len(new["text"]))
        found[mode] = added
        rows.append([mode, added["total"], added["text"], added["variants"], added["door"], added["rodata"],
                     added["data"], bar(added["text"], BARS[mode]) if mode in BARS else ""])
    table(["", "text pages", "new", "of them variants", "new door", "new rodata", "new data", "bar"], rows)
    return found


main(__doc__, body, [("--compiler", dict(default="clang", help="[clang]"))])
