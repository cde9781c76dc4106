#!/usr/bin/env python3
"""Links small programs against two versions of a library, and looks whether anything came out wrong.

The idea. A linker that keeps old code at old places can be wrong in ways that no unit test shows: a caller bound to last
year's function, a jump table of another version, a string that moved, two addresses of one function. So every folder
here is a *pair*: one library in two versions (or more), chosen so that a wrong binding shows in what the program
prints, and the claim it tests is its name. The judge is stock lld: whatever its image of the same inputs prints is right.

For each pair and each combination of compiler, options and trampolines, with one atlas:
  1. link the versions in order, then the first again; then, with a fresh atlas, in reverse order;
  2. run every image: status and output must be those of stock lld's image;
  3. relinking must give the same bytes, although the atlas has grown since;
  4. a frozen link of a new version must run rightly and leave the atlas as it was;
  5. no segment may be writable and executable; no shared text page may have two contents (door, none);
  6. `spacer verify` and `spacer atlas check`, given --spacer-tool, must agree.
With --delta: base + delta must give byte for byte the image of the new library.

Pairs are small freestanding Linux programs (support/start.c is their C library), so a link takes 20 ms. The few that need
exceptions use glibc's static libraries. See build.py for what a pair's folder holds, matrix.py for the combinations.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from types import SimpleNamespace

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from build import Failure, Objects, loadPairs  # noqa: E402
from check import Check, References  # noqa: E402
from matrix import AXES, asFlags, combinations, label  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def parseArguments():
    epilog = """examples:
  run.py                                     every pair, some 20 combinations each
  run.py --quick                             every setting once, one order: under a minute
  run.py --full --filter=jump-table          all combinations of two pairs
  run.py --filter='^thread-local$' --compilers=gcc --opts=-O2 --keep
  run.py --stock                             checks the pairs themselves, with stock lld and no atlas
  run.py --list                              the pairs and their claims"""
    p = argparse.ArgumentParser(description=__doc__, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ld", default=str(SOURCE / "build/bin/ld.spacer"), help="the linker under test [%(default)s]")
    p.add_argument("--stock-ld", default="ld.lld-19", help="the linker that is right [%(default)s]")
    p.add_argument("--spacer-tool", help="the `spacer` command: also verify images and atlases, and make deltas")
    p.add_argument("--stock", action="store_true", help="test the pairs: link with --stock-ld, drop --spacer flags")
    p.add_argument("--delta", action="store_true", help="also check base + delta against the new library")
    p.add_argument("--filter", default="", metavar="RE", help="pairs whose name matches")
    for axis, values in AXES.items():
        p.add_argument(f"--{axis}", default=",".join(values), help="[%(default)s]")
    amount = p.add_mutually_exclusive_group()
    amount.add_argument("--quick", dest="amount", action="store_const", const="quick", help="every setting once, one order")
    amount.add_argument("--full", dest="amount", action="store_const", const="full", help="the product of all axes")
    p.add_argument("--jobs", type=int, default=2, help="[%(default)s]")
    p.add_argument("--json", metavar="FILE", help="write every result there")
    p.add_argument("--work", metavar="DIR", help="where objects and images go [a folder in memory, objects kept]")
    p.add_argument("--keep", action="store_true", help="keep the images of combinations that passed, too")
    p.add_argument("--list", action="store_true", help="print the pairs and their claims")
    p.set_defaults(amount="normal")
    # Values like -O2 start with a dash; argparse takes them only with `=`.
    return p.parse_args()


def chooseAxes(arguments):
    axes = {}
    for axis, values in AXES.items():
        axes[axis] = getattr(arguments, axis).split(",")
        wrong = set(axes[axis]) - set(values)
        if wrong:
            sys.exit(f"run.py: --{axis} takes {','.join(values)}, not {','.join(wrong)}")
    return axes


def chooseTools(arguments):
    """Never drops the flags by itself: a suite that silently tests stock lld passes."""
    if arguments.stock:
        return SimpleNamespace(ld=arguments.stock_ld, spacer=None, stock=True)
    try:
        usage = subprocess.run([arguments.ld, "--spacer-help"], capture_output=True, text=True).stdout
    except OSError as error:
        sys.exit(f"run.py: {arguments.ld}: {error.strerror} (build it, or give --ld=PATH, or --stock)")
    if "--spacer-atlas" not in usage:
        sys.exit(f"run.py: {arguments.ld}: knows no --spacer-help (--stock checks the pairs alone)")
    tool = arguments.spacer_tool
    if tool and not shutil.which(tool):
        sys.exit(f"run.py: {tool}: no such tool")
    return SimpleNamespace(ld=os.path.abspath(arguments.ld), spacer=tool and os.path.abspath(shutil.which(tool)),
                           stock=False)


def workFolder(arguments):
    if arguments.work:
        return pathlib.Path(arguments.work).resolve()
    memory = pathlib.Path("/dev/shm")
    return (memory if memory.is_dir() else pathlib.Path(tempfile.gettempdir())) / f"spacer-pairs-{os.getuid()}"


def checksFolder(work):
    """One a run, so that runs may overlap; what failed is kept for half a day."""
    for old in work.glob("checks-*"):
        if time.time() - old.stat().st_mtime > 12 * 3600:
            shutil.rmtree(old, ignore_errors=True)
    return pathlib.Path(tempfile.mkdtemp(prefix="checks-", dir=work))


def plan(pairs, axes, amount):
    """(pair, combination), neighbours in the list sharing compiled objects."""
    tasks = []
    for pair in pairs:
        allowed = pair.axes(axes)
        if not all(allowed.values()):
            continue
        chosen = combinations(allowed, amount, pair.name)
        tasks += [(pair, c) for c in sorted(chosen, key=label)]
    return tasks


class Results:
    def __init__(self, arguments):
        self.arguments, self.rows, self.lock = arguments, [], threading.Lock()
        self.images = self.sharing = 0

    def add(self, check, reason, seconds):
        row = {"pair": check.pair.name, **check.c, "passed": reason is None, "seconds": round(seconds, 3)}
        with self.lock:
            self.rows.append(row)
            self.images += check.links
            self.sharing += check.sharing
            if reason is None:
                return
            row["reason"] = reason
            row["again"] = self.again(check)
            row["commands"] = str(check.script())
            print(f"FAIL {check.pair.name} [{label(check.c)}] {reason}\n     again: {row['again']}", flush=True)

    def again(self, check):
        a = self.arguments
        flags = ["--stock"] if a.stock else [f"--ld={a.ld}"]
        flags += [f"--spacer-tool={a.spacer_tool}"] if a.spacer_tool else []
        flags += ["--delta"] if a.delta else []
        return shlex.join([sys.argv[0], *flags, f"--filter=^{check.pair.name}$"]) + f" {asFlags(check.c)} --keep"


def runOne(task, number, objects, references, tools, checks, arguments, results):
    pair, combination = task
    check = Check(pair, combination, objects, references, tools, checks / f"{pair.name}-{number}")
    start, reason = time.time(), None
    try:
        check.run(arguments.amount == "quick", arguments.delta and not tools.stock)
    except Failure as failure:
        reason = str(failure)
    except Exception as error:  # an image that cannot be parsed, a file that is not there: also a failure
        reason = f"{type(error).__name__}: {error}"
    results.add(check, reason, time.time() - start)
    if reason is None and not arguments.keep:
        shutil.rmtree(check.folder, ignore_errors=True)


def main():
    arguments = parseArguments()
    try:
        pairs = loadPairs(re.compile(arguments.filter))
    except re.error as error:
        sys.exit(f"run.py: --filter={arguments.filter}: {error}")
    if arguments.list:
        for pair in pairs:
            print(f"{pair.name}: {pair.claim()}")
        return 0
    tools, work, axes = chooseTools(arguments), workFolder(arguments), chooseAxes(arguments)
    if arguments.delta and not tools.spacer:
        print("run.py: no --spacer-tool: deltas are only those that the linker writes")
    objects = Objects(work / "objects", arguments.stock_ld)
    checks = checksFolder(work)
    references = References(objects, arguments.stock_ld, checks)
    tasks = plan(pairs, axes, arguments.amount)
    skipped = len(pairs) - len({pair.name for pair, _ in tasks})
    results, start = Results(arguments), time.time()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = [pool.submit(runOne, task, number, objects, references, tools, checks, arguments, results)
                   for number, task in enumerate(tasks)]
        for future in running:
            future.result()
    failed = sum(not row["passed"] for row in results.rows)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"results": results.rows}, indent=1) + "\n")
    if failed:
        print(f"what failed is kept in {checks}, each with its commands.sh")
    elif not arguments.keep:
        shutil.rmtree(checks, ignore_errors=True)
    print(f"{len(pairs)} pairs, {results.images} links, {results.sharing} images with shared text, "
          f"{time.time() - start:.0f} s")
    print(f"{len(tasks) - failed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not tasks else 0


if __name__ == "__main__":
    sys.exit(main())
