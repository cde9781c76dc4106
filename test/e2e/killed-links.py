#!/usr/bin/env python3
"""Kills links at random moments: the atlas stays clean, the output is whole or absent, the next link is as if nothing was.

Each round takes an application and an atlas: none yet, or one that other applications have filled. The link is killed
  - at a random moment of its usual duration,
  - or soon after it began to write the atlas, or after its output began to appear: there it has most to lose,
  - or by strace at its Nth system call that changes a file, for every N in turn.
Then
  1. the atlas is clean, and its rows are those of before or those of an undisturbed link, nothing between;
  2. the output is as before, absent, or complete; if it is complete, the atlas has its rows;
  3. a link that is left alone succeeds and gives the bytes and the rows of an undisturbed one. Its program runs right.

LD_SPACER and SPACER name the tools (build/bin/ld.spacer, build/bin/spacer). The issue's number is --count=200."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

from harness import (Refused, Skip, atlasProblem, bedFolder, dump, errorLines, expectedOutput, imageProblem, link,
                     linkArgv, main, runProgram)

APPS = ("hello", "lua", "sqlite", "combo")
OLD = b"the output of an earlier link\n"


class Subject:
    """One application on one state of the atlas, and what an undisturbed link makes of it."""

    def __init__(self, tools, bed, app, earlier, work):
        self.tools, self.app, self.start = tools, app, earlier
        self.name = f"{app} on {'an atlas with ' + earlier.stem.replace('atlas-', '') if earlier else 'no atlas'}"
        self.folder = work / f"{app}-{earlier.stem if earlier else 'new'}"
        self.folder.mkdir()
        self.atlas, self.out = self.folder / "fleet.atlas", self.folder / "image"
        self.argv = linkArgv(tools.ld, bed, app, self.out, f"--spacer-atlas={self.atlas}")
        self.before = dump(earlier) if earlier else []
        self.reset(False)
        began = time.monotonic()
        link(self.argv)
        self.seconds = time.monotonic() - began
        self.bytes, self.after = self.out.read_bytes(), dump(self.atlas)

    def reset(self, withOutput):
        for path in self.folder.iterdir():
            path.unlink()
        if self.start:
            shutil.copy(self.start, self.atlas)
        if withOutput:
            self.out.write_bytes(OLD)

    def problem(self, withOutput):
        """What is wrong after the kill and after the next link, or None; sets self.state."""
        found = atlasProblem(self.atlas, self.tools)
        if found:
            return f"after the kill: {found}"
        rows = dump(self.atlas)
        if rows not in (self.before, self.after):
            return "after the kill: the atlas is neither as before nor as after the link"
        out = self.out.read_bytes() if self.out.exists() else None
        # lld removes an old output when it begins to write the new one.
        if out not in (None, self.bytes) and not (withOutput and out == OLD):
            return f"after the kill: the output has {len(out)} bytes, neither the old ones nor all {len(self.bytes)}"
        if out == self.bytes and rows != self.after:
            return "after the kill: there is an image, but the atlas does not know its pages"
        self.state = ("image complete" if out == self.bytes else
                      "rows without an image" if rows == self.after != self.before else
                      "no rows, the old output gone" if withOutput and not out else "as before")
        try:
            link(self.argv, timeout=90)
        except (Refused, subprocess.TimeoutExpired) as e:
            return f"the next link: {e}"
        if self.out.read_bytes() != self.bytes:
            return "the next link gives other bytes"
        if dump(self.atlas) != self.after:
            return "the next link leaves other rows"
        return atlasProblem(self.atlas, self.tools)


def killAtTime(subject, rng):
    process = subprocess.Popen(subject.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(rng.uniform(0, subject.seconds))
    return stop(process)


def killWhenWriting(subject, rng):
    """Watches for the journal, or for the file that becomes the output, and strikes a moment later."""
    journal = rng.random() < 0.6
    delay = rng.choice((0, 0.0005, 0.002, 0.005, 0.01)) * rng.random()
    process = subprocess.Popen(subject.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if any("-journal" in n if journal else n.startswith("image.tmp") for n in os.listdir(subject.folder)):
            break
    time.sleep(delay)
    return stop(process)


def stop(process):
    """Whether it was still at work."""
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


CALLS = "write,pwrite64,writev,ftruncate,fallocate,fsync,fdatasync,rename,unlink,openat,msync,fchmod,chmod,exit_group"


def killAtSyscall(subject, number):
    argv = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}",
            "-e", f"inject={CALLS}:signal=KILL:when={number}", *subject.argv]
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def countSyscalls(subject):
    subject.reset(False)
    trace = subject.folder / "trace"
    r = subprocess.run(["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={CALLS}", *subject.argv])
    if r.returncode:
        raise Skip("strace cannot trace the linker")
    return sum(bool(re.match(r"\d+ +\w+\(", line)) for line in trace.read_text().splitlines())


def subjects(tools, bed, work):
    # The atlas as other applications left it.
    states = {}
    for names in (("hello",), ("lua", "xml")):
        path = work / f"atlas-{'-'.join(names)}.db"
        for app in names:
            link(linkArgv(tools.ld, bed, app, work / "other", f"--spacer-atlas={path}"))
        states[names] = path
    for app in APPS:
        for names in (None, ("hello",), ("lua", "xml")):
            if not names or app not in names:
                yield Subject(tools, bed, app, states.get(names), work)


def body(options, tools, checks, work):
    bed = bedFolder() / "base"
    rng = random.Random(options.seed)
    all = list(subjects(tools, bed, work))
    for s in all:
        status, output = runProgram(s.out, s.app)
        problem = imageProblem(s.out, s.atlas, tools)
        if not problem and (status, output) != expectedOutput(tools, bed, s.app, work):
            problem = "its program does not print what stock lld's does"
        checks.check(f"undisturbed: {s.name}", problem, f"{s.seconds:.2f} s")

    plan = [(all[i % len(all)], None) for i in range(options.count)]
    if options.syscalls and not shutil.which("strace"):
        checks.skips("kill at each system call", "strace is missing")
    elif options.syscalls:
        for s in all[:options.syscalls]:
            plan += [(s, n) for n in range(1, countSyscalls(s) + 1)]

    states, late = {}, 0
    for number, (subject, call) in enumerate(plan):
        withOutput = rng.random() < 0.5
        for attempt in range(20):
            subject.reset(withOutput)
            if call:
                killed = killAtSyscall(subject, call)
            else:
                killed = (killAtTime if rng.random() < 0.5 else killWhenWriting)(subject, rng)
            if killed or call:
                break
            late += 1  # it was faster than the hand
        problem = subject.problem(withOutput)
        how = f"system call {call}" if call else f"kill {number + 1}"
        if not problem:
            states[subject.state] = states.get(subject.state, 0) + 1
        checks.check(f"{how}: {subject.name}", problem, problem or subject.state)
    print(f"seed {options.seed}; {late} links ended before the kill and were repeated; found after kills: " +
          ", ".join(f"{n} × {state}" for state, n in sorted(states.items())))


main(__doc__, body, [
    ("--count", dict(type=int, default=60, help="kills at random moments [60]")),
    ("--seed", dict(type=int, default=1, help="of the random moments [1]")),
    ("--syscalls", dict(type=int, default=1, metavar="SUBJECTS",
                        help="for so many pairs of application and atlas, of 10, also kill at each system call: minutes each "
                             "for the large ones [1]")),
])
