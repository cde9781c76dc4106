#!/usr/bin/env python3
"""Small unikernels, linked as Unikraft links, boot with all memory outside their regions filled with a pattern.

Libraries joined and localised, tables by INSERT scripts, a region table made of program headers and written into the stripped
image, 32-bit headers in front. Boot code (test/lit/unikraft/Inputs/start.c) takes the table, writes a pattern over everything
that it does not list, walks every table, calls every library, looks at the pattern and adds up: nothing shared is overwritten,
nothing but regions is missing. Consoles are compared with GNU ld's image of the same objects. Images of two compilers, three
applications, two versions of a library, with and without position independence are on one atlas. QEMU, TCG."""

import json
import pathlib
import shutil
import struct
import subprocess
import sys

from harness import PAGE, Skip, main, root

inputs = root / "test/lit/unikraft/Inputs"
sys.path.insert(0, str(inputs))
from elf import Elf  # noqa: E402

MEBIBYTES = 64
# name, flags of unikernel.py, flags of the link with ld.spacer
IMAGES = (
    ("clang", ["--cc", "clang-19"], []),
    ("gcc", ["--cc", "gcc-12"], []),
    ("second application", ["--cc", "clang-19", "--app", "2", "--gc"], []),
    ("third, of two compilers", ["--cc", "clang-19", "--app", "3", "--libcc", "store=gcc-12"], []),
    ("next version", ["--cc", "clang-19", "--flag", "words=-DWORDS=2"], []),
    ("large thread-local space", ["--cc", "gcc-12", "--flag", "words=-DTHREAD_SPACE=2000", "--opt=-O3"], []),
    ("no sections", ["--cc", "clang-19", "--sections", "no"], []),
    ("link-time optimisation", ["--cc", "clang-19", "--lto", "--joiner", "lld"], []),
    ("doors everywhere", ["--cc", "gcc-12", "--gc"], ["-Wl,--spacer-trampolines=door"]),
    ("everything shared", ["--cc", "clang-19"], ["-Wl,--spacer-lib=*=lib*.o"]),
    ("everything shared, gcc", ["--cc", "gcc-12", "--gc"], ["-Wl,--spacer-lib=*=lib*.o"]),
    ("few segments", ["--cc", "clang-19"], ["-Wl,--spacer-max-segments=10"]),
    ("gaps closed", ["--cc", "clang-19"], ["-Wl,--spacer-close-gaps=4M"]),
    ("frozen", ["--cc", "gcc-12", "--app", "3", "--flag", "words=-DWORDS=3"], ["-Wl,--spacer-mode=frozen"]),
    ("position independent", ["--cc", "clang-19", "--pie"], []),
    ("position independent, gcc", ["--cc", "gcc-12", "--pie"], []),
)


def run(*argv):
    r = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if r.returncode:
        raise RuntimeError(f"{pathlib.Path(str(argv[1])).name}: {r.stdout.strip()[-400:]}")
    return r.stdout


def build(work, linked, flags, more=()):
    """linked, then the image that boots beside it."""
    run(sys.executable, inputs / "unikernel.py", "--objects", work / "objects", "--out", linked, *flags, *more)
    if "--pie" in flags:
        run(sys.executable, inputs / "postprocess.py", "reloc", linked)
    image = linked.with_suffix(".boot")
    run(sys.executable, inputs / "postprocess.py", "all", linked, image)
    return image


def boot(image):
    """Status and lines of the console, those that only say how much ('#', relocations) apart."""
    r = subprocess.run(["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-m", f"{MEBIBYTES}M", "-nodefaults", "-no-reboot",
                        "-display", "none", "-debugcon", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
                        "-kernel", image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    lines = r.stdout.decode("latin-1").splitlines()
    counts = {l.split()[0]: int(l.split()[1], 16) for l in lines if l.startswith(("#", "relocations "))}
    return r.returncode, [l for l in lines if not l.startswith(("#", "relocations "))], counts


def wideLibrary(work, step):
    """An object of a library with functions on six pages each, every step-th of 220; each is one of the start steps."""
    folder = work / f"every{step}"  # a local function's file is in its name
    folder.mkdir(exist_ok=True)
    source, out = folder / "wide.c", folder / "wide.o"
    functions = "".join(f"""
static void wide{i}(void) {{ boot_note("wide{i}"); __asm__ volatile("jmp 1f; .fill 24000, 1, {i}; 1:"); }}
INIT(50, wide{i});""" for i in range(0, 220, step))
    source.write_text(f'#include "unikernel.h"\n{functions}\n')
    run("clang-19", "-O2", "-ffreestanding", "-mno-red-zone", "-fno-PIC", "-ffunction-sections", "-fdata-sections",
        "-fno-asynchronous-unwind-tables", f"-I{inputs}", "-c", source, "-o", out)
    return out


def countProblem(linked, counts):
    """What the guest added up against the sections of the image."""
    pages = set()
    for s in Elf(linked).sections:
        if s.flags & 2 and s.bytes and not (s.flags & 0x400 and s.kind == 8):
            pages.update(range(s.address // PAGE, (s.end + PAGE - 1) // PAGE))
    taken, heap = counts["#taken"], counts["#heap"]
    if taken != len(pages) * PAGE:
        return f"regions take {taken} bytes, sections {len(pages)} pages"
    # QEMU keeps the last 128 KiB of low memory for itself.
    if not 0 <= MEBIBYTES * 2**20 - 2**20 - taken - heap <= 2**18:
        return f"{heap} bytes of heap and {taken} in regions of {MEBIBYTES} MiB"
    return None


def withoutRegion(image, number):
    """The image, its table without that region."""
    data = bytearray(image.read_bytes())
    at = data.index(b"bootinfo")
    count = struct.unpack_from("<Q", data, at + 8)[0]
    rows = [data[at + 16 + 24 * i:at + 40 + 24 * i] for i in range(count)]
    del rows[number]
    struct.pack_into("<Q", data, at + 8, count - 1)
    data[at + 16:at + 16 + 24 * count] = b"".join(rows) + bytes(24)
    other = image.with_suffix(".forgotten")
    other.write_bytes(data)
    return other


def wide(tools, checks, work):
    """Half of a library's pages, one function here and one there: the regions stay below the limit, and the guest boots."""
    for step, least in ((1, 8), (2, 95)):
        library, flags = wideLibrary(work, step), ["--cc", "clang-19"]
        try:
            expected = boot(build(work, work / f"wide{step}.bfd", flags, [library]))
            atlas = [f"-Wl,--spacer-atlas={work}/wide.atlas", "-Wl,--spacer-window=0x400000:40M"]
            got = boot(build(work, work / f"wide{step}.ours", [*flags, "--ld", tools.ld],
                             [library, "-Wl,--spacer-lib=wide=wide.o", *atlas]))
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            checks.fails(f"wide library, every {step}", str(e))
            return
        regions = got[2].get("#regions", 0)
        checks.check(f"wide library, every {step}: the same on the console", got[:2] != expected[:2] and f"{got[:2]}")
        checks.check(f"wide library, every {step}: at most 100 regions", not least <= regions <= 100 and f"{regions}", str(regions))


def body(options, tools, checks, work):
    for tool in ("qemu-system-x86_64", "ld.bfd", "objcopy", "strip", "clang-19", "gcc-12"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    images = []
    for name, flags, more in IMAGES:
        # A relocatable image's words are others: an atlas of its own.
        atlas = work / ("pie.atlas" if "--pie" in flags else "fleet.atlas")
        file = name.replace(" ", "-").replace(",", "")
        try:
            expected = boot(build(work, work / f"{file}.bfd", flags))
            linked = work / f"{file}.ours"
            image = build(work, linked, [*flags, "--ld", tools.ld],
                          [f"-Wl,--spacer-atlas={atlas}", "-Wl,--spacer-window=0x400000:16M", *more])
            got = boot(image)
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            checks.fails(name, str(e))
            continue
        images.append((name, linked, image, atlas))
        if not checks.check(f"{name}: GNU ld's image boots", expected[0] != 1 and f"status {expected[0]}: {expected[1][-1:]}"):
            continue
        checks.check(f"{name}: the same on the console", got[:2] != expected[:2] and f"{got[:2]}, expected {expected[:2]}",
                     got[0] == 1 and f"{got[2]['#regions']} regions, {got[2]['#taken'] // PAGE} pages")
        if got[0] == 1:
            checks.check(f"{name}: heap and regions are all memory", countProblem(linked, got[2]))
        if tools.spacer:
            status = subprocess.run([tools.spacer, "verify", "--atlas", atlas, linked, image], stdout=subprocess.PIPE, text=True)
            checks.check(f"{name}: as the atlas says", status.returncode and status.stdout.strip()[:300])

    wide(tools, checks, work)

    # The test can fail: a region that is not in the table is overwritten.
    name, linked, image, _ = images[0]
    shared = [i for i, s in enumerate(Elf(linked).loads()) if s.address >= 0x400000 and s.fileBytes]
    for number in shared:
        status, lines, _ = boot(withoutRegion(image, number))
        checks.check(f"{name}: without region {number} it does not", status == 1 and "it boots all the same")

    if not tools.spacer:
        return
    fleet = [linked for _, linked, _, a in images if a.name == "fleet.atlas"]
    report = json.loads(subprocess.run([tools.spacer, "--json", "compare", *fleet], stdout=subprocess.PIPE, check=True).stdout)
    equal = {(pathlib.Path(p["first"]).stem, pathlib.Path(p["second"]).stem): p["equal"] for p in report["pairs"]}
    for other, least in (("few-segments", 10), ("next-version", 3), ("third-of-two-compilers", 2)):
        found = equal.get(("clang", other), 0)
        checks.check(f"pages shared with {other}", found < least and f"{found}, expected {least}", str(found))
    added = [subprocess.run([tools.spacer, "--root", work / "root", "pool", "add", "--name", f"i{i}", image],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
             for i, (_, _, image, _) in enumerate(images)]
    bad = [r.stdout for r in added if r.returncode]
    checks.check("the pool takes the images that boot", bad and bad[0])


main(__doc__, body)
