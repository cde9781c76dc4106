#!/usr/bin/env python3
"""Pages of musl that the lua and sqlite images both use: how many are equal at the same address?

A page counts as musl's if the manifest places a live unit of musl on it; as in use by both, if both images have live
units of musl on that page, or the same unit of musl on different pages. Counted for text and rodata, from the images'
bytes, with all images of the bed on the atlas. Once with all pages, and once without those of private code: the few
functions of musl that refer to the image's own symbols stand among the image's own code. Bar of the issue: ≥ 98%."""

import struct

from measure import Image, apps, atlasWindow, bar, bedFolder, link, linkArgv, main, pagesOf, table

KINDS = ("text", "rodata", "data", "bss", "string", "tls")


def units(image):
    """[(identity or None, address, bytes, kind, private, library, name)]"""
    for name, _, _, _, offset, size in image.sections:
        if name == ".spacer.manifest":
            data = image.data[offset:offset + size]
    at, strings = struct.unpack_from("<Q", data, 64)[0], struct.unpack_from("<Q", data, 80)[0]
    count, = struct.unpack_from("<I", data, 92)

    def text(n):
        begin = strings + n
        return data[begin:data.index(b"\0", begin)].decode()

    for i in range(count):
        identity, address, size, kind, flags, library, name = struct.unpack_from("<16sQQIIII", data, at + 48 * i)
        yield identity, address, size, KINDS[kind], bool(flags & 1), text(library), text(name)


def muslPages(path):
    """(class → {page: bytes}), and the place of every unit of musl by (kind, name, identity)."""
    image = Image(path)
    contents, found, places = pagesOf(image), {"text": {}, "rodata": {}}, {}
    for identity, address, size, kind, private, library, name in units(image):
        kind = "rodata" if kind == "string" else kind
        if library != "musl" or kind not in found:
            continue
        if identity.strip(b"\0"):
            places[kind, name, identity] = address
        for page in range(address & -4096, address + size, 4096):
            found[kind][page] = contents.get(page)
    return found, places


def body(options, tools, work):
    bed = bedFolder(options.compiler)
    atlas = work / "fleet.atlas"
    for version in ("base", "patched"):
        for app in apps():
            link(linkArgv(tools.ld, bed / version, app, work / f"{app}-{version}", f"--spacer-atlas={atlas}",
                          *options.flags.split(), linux=options.linux))
    (lua, luaPlaces), (sqlite, sqlitePlaces) = (muslPages(work / f"{app}-base") for app in ("lua", "sqlite"))
    result, rows = {}, []
    both = equal = 0
    for kind in ("text", "rodata"):
        common = lua[kind].keys() & sqlite[kind].keys()
        same = {p for p in common if lua[kind][p] is not None and lua[kind][p] == sqlite[kind][p]}
        # A unit of both that stands on another page in each: that page is in use by both, and not equal.
        apart = {luaPlaces[k] & -4096 for k in luaPlaces.keys() & sqlitePlaces.keys()
                 if k[0] == kind and luaPlaces[k] != sqlitePlaces[k]} - common
        result[kind] = {"lua": len(lua[kind]), "sqlite": len(sqlite[kind]), "both": len(common | apart), "equal": len(same)}
        both, equal = both + len(common | apart), equal + len(same)
        rows.append([kind, *result[kind].values(), ""])
    # Private units have no identity that outlives the image; their pages begin below the window.
    begin, end = atlasWindow(atlas)
    inside = sum(begin <= p < end for k in lua for p in lua[k].keys() & sqlite[k].keys())
    result["share"] = equal / both if both else 0
    result["shared pages"] = equal / inside if inside else 0
    rows.append(["together", "", "", both, equal, f"{100 * result['share']:.1f}%"])
    rows.append(["in the window", "", "", inside, equal, f"{100 * result['shared pages']:.1f}%"])
    table(["", "lua", "sqlite", "in both", "equal", "share"], rows)
    print(f"with the pages of private code that hold some of musl: {bar(result['share'], 0.98, True)}; "
          f"without: {bar(result['shared pages'], 0.98, True)}")
    return result


main(__doc__, body, [
    ("--linux", dict(action="store_true", help="static Linux programs instead of unikernels")),
    ("--compiler", dict(default="clang", help="[clang]")),
    ("--flags", dict(default="", help="more linker flags")),
])
