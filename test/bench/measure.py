"""What the measurements share: paired runs, medians, tables, and the bed's applications as commands."""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "e2e"))

import harness  # noqa: E402
from harness import (Image, Tools, apps, atlasWindow, bedFolder, link, linkArgv, manifest,  # noqa: E402,F401
                     pagesOf, runProgram)


def timed(argv, **how):
    """(wall seconds, user + system seconds) of one run, which must succeed."""
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], [str(a) for a in argv], os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{argv[0]} failed: status {status}; the command: {' '.join(map(str, argv))}")
    return wall, usage.ru_utime + usage.ru_stime


def paired(runs, first, second, beforeFirst=lambda: None, beforeSecond=lambda: None):
    """Runs both alternately, so that what else the machine does meets both. Medians of each, and of the ratios of
    neighbours: {"wall": [a, b, ratio], "cpu": [a, b, ratio]}; one run of each before, not counted."""
    found = []
    for i in range(runs + 1):
        pair = []
        for argv, before in ((first, beforeFirst), (second, beforeSecond))[::1 if i % 2 else -1]:
            before()
            pair.append(timed(argv))
        found.append(pair if i % 2 else pair[::-1])
    result = {}
    for n, what in enumerate(("wall", "cpu")):
        a, b = ([pair[side][n] for pair in found[1:]] for side in (0, 1))
        result[what] = [statistics.median(a), statistics.median(b),
                        statistics.median(y / max(x, 1e-9) for x, y in zip(a, b))]
    return result


def classPages(path):
    """{class: {(address, content)}} of an image's pages, from its bytes."""
    image = Image(pathlib.Path(path))
    contents, found = pagesOf(image), {}
    for address, kind, _ in manifest(image):
        found.setdefault(kind, set()).add((address, contents.get(address)))
    return found


def wholeLibrary(argv, name):
    """The link command with all members of libNAME.a, live or not."""
    at = next(i for i, a in enumerate(argv) if a.endswith(f"/lib{name}.a"))
    return [*argv[:at], "--whole-archive", argv[at], "--no-whole-archive", *argv[at + 1:], "--no-gc-sections"]


def passFolders(versions="all", *more):
    """The bed's folders without the compiler pass and with it; skips if the pass is not built."""
    arguments = ("clang", "yes", "-O2", f"--version={versions}", *more)
    return {"without": bedFolder(*arguments), "with": bedFolder(*arguments, f"--pass={harness.passFile()}")}


def table(head, rows):
    cells = [[str(c) for c in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def bar(value, limit, atLeast=False):
    good = value >= limit if atLeast else value <= limit
    return f"{'≥' if atLeast else '≤'} {limit:g} {'met' if good else 'MISSED'}"


def main(doc, body, arguments=()):
    """Parses, makes a scratch folder in memory, runs body(options, tools, work), which returns what --json prints."""
    lines = doc.strip().splitlines()
    parser = argparse.ArgumentParser(description=lines[0], epilog="\n".join(lines[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    for name, settings in arguments:
        parser.add_argument(name, **settings)
    options = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="spacer-bench-", dir=memory) as work:
        stdout = sys.stdout
        if options.json:
            sys.stdout = open(os.devnull, "w")
        try:
            result = body(options, Tools(), pathlib.Path(work))
        except harness.Skip as e:
            print(f"skip: {e}", file=sys.stderr)
            sys.exit(77)
        if options.json:
            json.dump(result, stdout, indent=2)
            print(file=stdout)
