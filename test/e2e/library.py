#!/usr/bin/env python3
"""libspacer as a package: installed into a folder of its own, used by a C program through pkg-config and by a C++ one
through find_package(Spacer), both with a pool of a raw file whose memory they compare. Exports nothing but spacer_*.
Every function of the header has a man page."""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from harness import Checks, Skip, execute, here, root

PAGE = 4096
build = pathlib.Path(os.environ.get("SPACER_BUILD") or root / "build").resolve()
programs = here / "library"


def sampleFile(path):
    """Data, holes, repeated pages, and a length that is no whole page."""
    rng = random.Random(5)
    pages = [rng.randbytes(PAGE) for _ in range(20)]
    with open(path, "wb") as out:
        for i in range(300):
            kind = i % 23
            if kind in (4, 5, 6, 19):
                out.seek(PAGE, os.SEEK_CUR)
            elif kind == 11:
                out.write(pages[i % 20])
            else:
                out.write(rng.randbytes(PAGE))
        out.write(b"the end")


def run(checks, name, argv, **more):
    """Counts the lines "pass", "skip" and "FAIL" that the program writes, and its end."""
    status, text = execute(argv, **more)
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "pass":
            checks.passes(rest)
        elif word == "skip":
            checks.skips(*rest.split(": ", 1))
        elif word == "FAIL":
            checks.fails(*rest.split(": ", 1))
    checks.check(f"{name}-ends", status and f"status {status}: {text.strip().splitlines()[-1:]}")


def install(work):
    if not (build / "lib" / "libspacer.so").exists():
        raise Skip(f"no libspacer.so in {build}/lib")
    cache = (build / "CMakeCache.txt").read_text()
    if re.search(r"^SPACER_SANITIZE:\w+=.+$", cache, re.M):
        raise Skip("a library with sanitizers needs programs with sanitizers")
    for tool in ("cc", "pkg-config", "cmake"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    status, text = execute(["cmake", "--install", build, "--prefix", work / "usr"])
    if status:
        raise RuntimeError(text[-500:])
    return work / "usr"


def libraryFolder(prefix):
    return next(iter(prefix.rglob("libspacer.so"))).parent


def checkExports(checks, prefix):
    text = subprocess.run(["nm", "-D", "--defined-only", libraryFolder(prefix) / "libspacer.so"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    rows = [line.split()[-2:] for line in text.splitlines()]
    names = {name.split("@")[0] for kind, name in rows if kind != "A"}
    checks.check("exports-are-ours", [n for n in names if not n.startswith("spacer_")])
    header = (prefix / "include/spacer/spacer.h").read_text()
    declared = set(re.findall(r"\b(spacer_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.S)))
    checks.check("exports-are-the-header's", sorted(declared ^ names))
    checks.check("exports-have-a-version", [n for k, n in rows if k != "A" and "@@SPACER_" not in n])
    soname = execute(["readelf", "-d", libraryFolder(prefix) / "libspacer.so"])[1]
    checks.check("soname", "[libspacer.so.0]" not in soname and "no soname libspacer.so.0")
    return declared


def checkPages(checks, prefix, declared):
    folder = prefix / "share/man/man3"
    checks.check("man-pages", sorted(n for n in declared if not (folder / f"{n}.3").exists()))
    if not shutil.which("groff"):
        checks.skips("man-pages-render", "groff is missing")
        return
    wrong = []
    for page in sorted(folder.glob("*.3")):
        r = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", page.name], cwd=folder, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
        if page.read_text().startswith(".so "):
            target = page.read_text().split()[1]
            if not (folder.parent / target).exists():
                wrong.append(f"{page.name} leads to {target}")
        elif r.stdout or r.returncode:
            wrong.append(f"{page.name}: {r.stdout.strip()}")
    checks.check("man-pages-render", "; ".join(wrong))


def compileC(prefix, work):
    pc = libraryFolder(prefix) / "pkgconfig"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "spacer"], check=True, stdout=subprocess.PIPE, text=True,
                           env=os.environ | {"PKG_CONFIG_PATH": str(pc)}).stdout.split()
    out = work / "use-c"
    status, text = execute(["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", programs / "use.c", "-o", out,
                            *flags, f"-Wl,-rpath,{libraryFolder(prefix)}"])
    return out, status and text


def compileCxx(prefix, work):
    folder = work / "cxx"
    status, text = execute(["cmake", "-S", programs, "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}"])
    if not status:
        status, text = execute(["cmake", "--build", folder])
    return folder, status and text[-800:]


def checkClient(checks, use, work, sample):
    daemon = build / "bin" / "spacerd"
    if not daemon.exists():
        checks.skips("client", "spacerd is not built")
        return
    run_ = work / "run"
    run_.mkdir()
    process = subprocess.Popen([daemon, f"--directory={work}/pool", f"--run={run_}"], stdout=subprocess.DEVNULL,
                               stderr=open(work / "spacerd.log", "w"))
    try:
        socket = run_ / "default.sock"
        for _ in range(100):
            if socket.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        run(checks, "client", [use, work / "pool", sample, socket], timeout=60)
    finally:
        process.terminate()
        process.wait(10)


def body(checks, work):
    prefix = install(work)
    declared = checkExports(checks, prefix)
    checkPages(checks, prefix, declared)
    sample = work / "sample"
    sampleFile(sample)
    use, why = compileC(prefix, work)
    if checks.check("c-program-builds", why):
        run(checks, "c-program", [use, work / "pool", sample], timeout=120)
        checkClient(checks, use, work, sample)
    folder, why = compileCxx(prefix, work)
    if checks.check("c++-program-builds", why):
        for kind in ("spacer", "spacerStatic"):
            status, text = execute([folder / f"use-{kind}", work / "pool", sample], timeout=60)
            checks.check(f"c++-program-{kind}", status and text)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="spacer-library-") as work:
        try:
            body(checks, pathlib.Path(work))
        except Skip as e:
            checks.skips("library", str(e))
    return checks.finish()


sys.exit(main())
