#!/usr/bin/env python3
"""Two links at once on one atlas: both succeed, the atlas is clean, and no page of either is lost.

Each round starts two links of different applications at the same moment; every other round there is no atlas yet, so that
both try to create it, the others use one that grows from round to round. Then
  1. both have succeeded, and the atlas is clean;
  2. every shared page of both images is in the atlas, byte for byte;
  3. both programs run and print what stock lld's print;
  4. linking each again, alone, gives the same bytes and adds no row.

With --at-once=N, N links instead of two. LD_SPACER and SPACER name the tools."""

import random
import shutil
import subprocess
import time

from harness import (Refused, apps, atlasProblem, bedFolder, dump, expectedOutput, imageProblem, link, linkArgv, main,
                     runProgram)


def roundProblem(tools, bed, chosen, atlas, work, skew):
    started = []
    for n, (version, app) in enumerate(chosen):
        out = work / f"image-{n}"
        out.unlink(missing_ok=True)
        argv = linkArgv(tools.ld, bed / version, app, out, f"--spacer-atlas={atlas}")
        started.append((version, app, out, argv))
    processes = []
    for _, _, _, argv in started:
        processes.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        time.sleep(skew)
    for (_, app, _, _), p in zip(started, processes):
        text, _ = p.communicate(timeout=120)
        if p.returncode:
            return f"{app}: status {p.returncode}: {text.splitlines()[0] if text else ''}"
    problem = atlasProblem(atlas, tools)
    if problem:
        return f"the atlas: {problem}"
    rows = dump(atlas)
    for version, app, out, argv in started:
        problem = imageProblem(out, atlas, tools)
        if problem:
            return f"{app} {version}: {problem}"
        if runProgram(out, app) != expectedOutput(tools, bed / version, app, work):
            return f"{app} {version}: its program does not print what stock lld's does"
        before = out.read_bytes()
        try:
            link(argv)
        except Refused as e:
            return f"{app} {version} again: {e}"
        if out.read_bytes() != before:
            return f"{app} {version} again: other bytes"
    if dump(atlas) != rows:
        return "linking again added rows"
    return None


def body(options, tools, checks, work):
    bed = bedFolder()
    rng = random.Random(options.seed)
    old = work / "old.atlas"
    for number in range(options.rounds):
        versions = ["base", "patched"]
        chosen = [(rng.choice(versions), app) for app in rng.sample(apps(), options.at_once)]
        new = number % 2 == 0
        atlas = work / "new.atlas" if new else old
        if new:
            atlas.unlink(missing_ok=True)
        elif number % 16 == 15:
            old.unlink(missing_ok=True)  # from time to time from the start, so that there is something to add
        problem = roundProblem(tools, bed, chosen, atlas, work, rng.choice((0, 0, 0.002, 0.01)))
        name = " with ".join(f"{a} {v}" for v, a in chosen)
        checks.check(f"round {number + 1}, {'new' if new else 'old'} atlas: {name}", problem)
        if problem and options.work:
            shutil.copy(atlas, work / f"failed-{number + 1}.atlas")


main(__doc__, body, [
    ("--rounds", dict(type=int, default=30, help="[30]")),
    ("--at-once", dict(type=int, default=2, help="links in a round [2]")),
    ("--seed", dict(type=int, default=1, help="of the choices [1]")),
])
