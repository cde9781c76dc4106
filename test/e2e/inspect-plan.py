#!/usr/bin/env python3
"""`spacer inspect --plan`: objects of a pool and images, what the budget costs, and what is refused."""

import json
import os
import pathlib
import random
import struct
import sys
import tempfile

from harness import Checks, execute, root

PAGE = 4096
spacer = pathlib.Path(os.environ.get("SPACER") or
                      pathlib.Path(os.environ.get("SPACER_BUILD") or root / "build") / "bin" / "spacer").resolve()


def tinyImage(path):
    """Two PT_LOADs: three pages at 1 MiB, one page and three of .bss at 2 MiB; the file's page 1 and 3 are equal."""
    rng = random.Random(1)
    a, b, c = (rng.randbytes(PAGE) for _ in range(3))
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x100000, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    loads = b"".join(struct.pack("<IIQQQQQQ", 1, flags, offset, at, at, fileBytes, memoryBytes, PAGE)
                     for flags, offset, at, fileBytes, memoryBytes in
                     ((5, PAGE, 0x100000, 3 * PAGE, 3 * PAGE), (6, 4 * PAGE, 0x200000, PAGE, 4 * PAGE)))
    path.write_bytes((header + loads).ljust(PAGE, b"\0") + a + b + a + c)


def plan(checks, name, argv, **expected):
    status, text = execute([spacer, "--json", *argv])
    if status:
        checks.fails(name, text.strip())
        return {}
    found = json.loads(text)
    checks.check(name, {k: (found.get(k), v) for k, v in expected.items() if found.get(k) != v})
    return found


def body(checks, work):
    rng = random.Random(2)
    image, sparse = work / "tiny.elf", work / "sparse"
    tinyImage(image)
    # Data of 1 to 9 pages between holes of 3.
    with open(sparse, "wb") as out:
        for n in range(1, 10):
            out.write(rng.randbytes(n * PAGE))
            out.seek(3 * PAGE, os.SEEK_CUR)
        out.write(b"end")
    inspect = ["inspect", "--plan"]
    # Page a is one page of the pool: two runs, and the second segment's.
    plan(checks, "image", [*inspect, image], guestPages=516, mappings=6, wantedMappings=6, copiedRuns=0,
         pages={"zero": 512, "pool": 4, "copy": 0, "lazy": 0}, steps={"zero": 3, "pool": 3, "copy": 0, "lazy": 0})
    plan(checks, "image-lazy", [*inspect, image, "--lazy=all"], mappings=6,
         pages={"zero": 512, "pool": 0, "copy": 0, "lazy": 4})

    pool = ["--root", work]
    status, text = execute([spacer, *pool, "pool", "add", sparse])
    if checks.check("pool-add", status and text):
        plan(checks, "object", [*pool, *inspect, "sparse"], object="sparse", mappings=19, copiedRuns=0,
             pages={"zero": 27, "pool": 46, "copy": 0, "lazy": 0})
        # Ten runs with the tail, nine gaps between them: with 11 mappings the five longest stay.
        found = plan(checks, "object-within-a-budget", [*pool, *inspect, "sparse", "--mappings", 11], mappings=11,
                     wantedMappings=19, budget=11)
        kept = [r["pages"] for r in found.get("longestRuns", [])]
        checks.check("the-longest-runs-stay", kept[:4] != [9, 8, 7, 6] and f"runs {kept}")
        checks.check("what-the-budget-cost", found and (found["copiedRuns"] != 10 - len(kept) or
                                                        found["copiedPages"] != 46 - sum(kept)) and str(found))
        status, text = execute([spacer, *pool, *inspect, "sparse", "--mappings=1"])
        checks.check("text", status or "the budget cost 10 runs, 46 pages" not in text and text)

    for name, argv, why in (("no-object", [*pool, *inspect, "nothing"], "nothing"),
                            ("no-pool", ["--root", work / "no", *inspect, "sparse"], "no page pool"),
                            ("no-image", [*inspect, sparse], "no ELF file"),
                            ("no-file", [*inspect, work / "none"], "none"),
                            ("no-budget", [*inspect, image, "--mappings=0"], "--mappings"),
                            ("no-such-laziness", [*inspect, image, "--lazy=some"], "--lazy")):
        status, text = execute([spacer, *argv])
        lines = text.strip().splitlines()
        checks.check(f"refused-{name}", (status != 2 or len(lines) != 1 or why not in text) and f"{status}: {text}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="spacer-inspect-") as work:
        body(checks, pathlib.Path(work))
    return checks.finish()


sys.exit(main())
