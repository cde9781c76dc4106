#!/usr/bin/env python3
"""Sharing efficiency over all images of the test bed, both versions, on one atlas: ideal pages / distinct pages present.

Distinct pages are counted from the images' bytes: for shared classes by address and content, for the image's own by
content. Ideal: for text, rodata and data, the bytes of all distinct live units / 4096, rounded up; for doors and GOT, those of
all distinct pairs of slot and target; private pages count as they are, on both sides, and the efficiency is also given
without them. Pages of zeros without bytes in the file count on neither side. Bar of the issue: ≥ 0.95.
`spacer compare` gives the same from the linker's side; this asks nothing but the images."""

import struct

from measure import Image, apps, bar, bedFolder, link, linkArgv, main, manifest, pagesOf, table

UNIT_CLASSES = ("text", "rodata", "data", "bss", "rodata", "tls")
SHARED = ("text", "rodata", "data", "door", "got")


def tables(image):
    data = next(image.data[s[4]:s[4] + s[5]] for s in image.sections if s[0] == ".spacer.manifest")
    unitsAt, slotsAt = struct.unpack_from("<QQ", data, 64)
    units, slots = struct.unpack_from("<II", data, 92)
    return ([struct.unpack_from("<16sQQIIII", data, unitsAt + 48 * i) for i in range(units)],
            [struct.unpack_from("<QQIIHHI", data, slotsAt + 32 * i) for i in range(slots)])


def body(options, tools, work):
    bed = bedFolder(options.compiler, options.sections)
    atlas, images = work / "fleet.atlas", 0
    present = {kind: set() for kind in (*SHARED, "private")}
    units, slots = {kind: {} for kind in SHARED}, {"door": {}, "got": {}}
    for version in ("base", "patched"):
        for app in apps():
            out = work / "image"
            link(linkArgv(tools.ld, bed / version, app, out, f"--spacer-atlas={atlas}", *options.flags.split(),
                          linux=options.linux))
            images += 1
            image = Image(out)
            contents = pagesOf(image)
            for address, kind, _ in manifest(image):
                if kind in SHARED:
                    present[kind].add((address, contents.get(address)))
                elif kind == "private":
                    present[kind].add(contents.get(address))
            unitRows, slotRows = tables(image)
            for identity, address, size, kind, flags, _, _ in unitRows:
                if not flags & 1 and UNIT_CLASSES[kind] in units:
                    units[UNIT_CLASSES[kind]][identity] = size
            for address, target, _, _, kind, size, _ in slotRows:
                if kind != 1:
                    slots["got" if kind == 2 else "door"][address, target] = size
    rows, result = [], {}
    for kind in (*SHARED, "private"):
        size = sum((slots.get(kind) or units.get(kind, {})).values())
        ideal = -(-size // 4096) if kind != "private" else len(present[kind])
        result[kind] = {"present": len(present[kind]), "ideal": ideal}
        if present[kind]:
            rows.append([kind, len(present[kind]), ideal, f"{ideal / len(present[kind]):.3f}", ""])
    for name, kinds in (("shared alone", SHARED), ("together", (*SHARED, "private"))):
        here, ideal = (sum(result[k][n] for k in kinds) for n in ("present", "ideal"))
        result[name] = ideal / here
        rows.append([name, here, ideal, f"{ideal / here:.3f}", bar(ideal / here, 0.95, True)])
    print(f"{images} images")
    table(["pages", "distinct", "ideal", "efficiency", "bar"], rows)
    return result


main(__doc__, body, [
    ("--linux", dict(action="store_true", help="static Linux programs instead of unikernels")),
    ("--compiler", dict(default="clang", help="[clang]")),
    ("--sections", dict(default="yes", help="[yes]")),
    ("--flags", dict(default="", help="more linker flags, such as --spacer-trampolines=entry")),
])
