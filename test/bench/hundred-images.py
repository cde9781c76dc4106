#!/usr/bin/env python3
"""A hundred different images on one atlas: what a link costs when the atlas is old.

Makes small applications, each of which keeps another random subset of the public functions of lua, sqlite3, xml2, expat, z
and musl (by -u; the program itself prints one line), and links them one after the other on one atlas. Then paired runs link
one image again and again, nothing new in it: on an atlas where it is the second image, and on the one of all. Twice:
the image that came last, on another atlas where it follows the first; and the image that came second, on a copy of the
atlas as it was then.
Bar of the issue: the 100th against the 2nd ≤ 1.1."""

import random
import re
import shutil
import subprocess

from measure import bar, bedFolder, link, linkArgv, main, paired, table, timed

SIZES = {"lua": (5, 60), "sqlite3": (0, 40), "xml2": (0, 80), "expat": (0, 20), "z": (0, 20), "musl": (20, 120)}


def functions(archive):
    """Public functions, by llvm-nm."""
    text = subprocess.run(["llvm-nm-19", "--defined-only", "--extern-only", "--format=posix", archive], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return sorted({line.split()[0] for line in text.splitlines() if " T " in line and not line.startswith("_")})


def application(tools, folder, number, rng, work):
    """An object that calls nothing, and the names that its image keeps: those that stock lld finds complete."""
    source = work / f"variant-{number}.c"
    source.write_text(f'#include <unistd.h>\nint main(void) {{ return write(1, "image {number:03}\\n", 10) != 10; }}\n')
    object = source.with_suffix(".o")
    subprocess.run(["clang-19", "-O2", "-ffunction-sections", "-c", source, "-o", object], check=True)
    kept = []
    for library, (least, most) in SIZES.items():
        names = functionsOf[library]
        count = rng.randint(least, most)
        if least or rng.random() < 0.6:
            kept += rng.sample(names, min(count, len(names)))
    text = subprocess.run(command(tools, folder, object, kept, work / "trial", "--error-limit=0"),
                          stderr=subprocess.PIPE, text=True).stderr
    # The bed has no compiler runtime, so what needs complex multiplication and the like cannot be linked.
    guilty = set(re.findall(r">>> +\S*:\((?:\S+ )?([\w.]+)\) in archive", text)) | set(re.findall(r"symbol: (\w+)", text))
    return object, [k for k in kept if k not in guilty]


functionsOf = {}


def command(tools, folder, object, kept, out, *flags):
    argv = linkArgv(tools.ld, folder, "hello", out, *flags)
    argv[next(i for i, a in enumerate(argv) if a.endswith("/app-hello.o"))] = str(object)
    for name in kept:
        argv += ["-u", name]
    return argv


def body(options, tools, work):
    bed = bedFolder(options.compiler)
    for library in SIZES:
        functionsOf[library] = functions(bed / "base" / "lib" / f"lib{library}.a")
    rng = random.Random(options.seed)
    atlas, out = work / "fleet.atlas", work / "image"
    made, times = [], []
    for n in range(1, options.images + 1):
        folder = bed / ("patched" if options.versions and n % 3 == 0 else "base")
        object, kept = application(tools, folder, n, rng, work)
        made.append((folder, object, kept))
        took = timed(command(tools, folder, object, kept, out, f"--spacer-atlas={atlas}"))
        times.append((took, out.stat().st_size, atlas.stat().st_size))
        if subprocess.run([out], stdout=subprocess.PIPE).stdout != b"image %03d\n" % n:
            raise SystemExit(f"image {n} does not print what it should")
        if n == 2:
            shutil.copy(atlas, work / "second.atlas")

    def again(n, which):
        return command(tools, *made[n - 1], work / f"again-{n}", f"--spacer-atlas={work / which}")

    # The last image as the second one of another fleet.
    last = options.images
    link(again(1, "other.atlas"))
    pairs = {f"image {last}": (again(last, "other.atlas"), again(last, "fleet.atlas")),
             "image 2": (again(2, "second.atlas"), again(2, "fleet.atlas"))}
    rows, result = [], {"links": [(*t, s, a) for t, s, a in times]}
    for name, (young, old) in pairs.items():
        link(young)  # so that nothing is new
        found = result[name] = paired(options.runs, young, old)
        for what in ("cpu", "wall"):
            a, b, ratio = found[what]
            rows.append([f"{name}, {what}", f"{a * 1e3:.1f}", f"{b * 1e3:.1f}", f"{ratio:.3f}", bar(ratio, 1.1)])
    printFirstTimes(times)
    table([f"linked again, {options.runs} pairs", "as the 2nd", f"as the {last}th", "ratio", "bar"], rows)
    return result


def printFirstTimes(times):
    rows = []
    for n in sorted({1, 2, 3, 5, 10, 20, 50, len(times)}):
        if n <= len(times):
            (wall, cpu), size, fleet = times[n - 1]
            rows.append([f"image {n}", f"{cpu * 1e3:.0f}", f"{wall * 1e3:.0f}", f"{size / 1e6:.2f}", f"{fleet / 1e6:.2f}"])
    table(["the first time", "cpu ms", "wall ms", "image MB", "atlas MB"], rows)
    print()


main(__doc__, body, [
    ("--images", dict(type=int, default=100, help="[100]")),
    ("--runs", dict(type=int, default=21, help="pairs [21]")),
    ("--seed", dict(type=int, default=1, help="of the subsets [1]")),
    ("--versions", dict(action="store_true", help="every third image from the patched version")),
    ("--compiler", dict(default="clang", help="[clang]")),
])
