#!/usr/bin/env python3
"""spacer pool as a user meets it: adding, sharing, removing; interrupted, killed, out of space, without permission.

After each trouble `pool verify` must find nothing wrong, and a file that was in the pool before must still be there: added
again under another name it brings no new page."""

import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Checks, Skip, Tools  # noqa: E402

PAGE = 4096
spacer = Tools.find("SPACER", "spacer")


def run(root, *words, **how):
    argv = [spacer, "--root", root, "--json", "pool", *words]
    return subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **how)


def answer(root, *words):
    r = run(root, *words)
    if r.returncode:
        raise RuntimeError(f"pool {' '.join(map(str, words))}: status {r.returncode}: {r.stderr.strip()}")
    return json.loads(r.stdout) if r.stdout else None


def problem(root, kept):
    """What is wrong with the pool, in which each of `kept` {name: file} must be."""
    r = run(root, "verify")
    if r.returncode:
        return f"verify: {(r.stdout + r.stderr).strip()[:300]}"
    names = {o["name"] for o in answer(root, "ls")["objects"]}
    for name, file in kept.items():
        if name not in names:
            return f"{name} is gone"
        again = answer(root, "add", "--kind", "raw", "--name", "again", file)[0]
        answer(root, "rm", "again")
        if again["newPages"]:
            return f"{again['newPages']} pages of {name} are gone"
    return None


def oneLine(r, expected):
    text = r.stderr.strip()
    if r.returncode != 2 or "\n" in text or expected not in text:
        return f"status {r.returncode}, it said: {text!r}"
    return None


def memory(path, pages, seed):
    rng = random.Random(seed)
    with open(path, "wb") as f:
        for _ in range(pages):
            f.write(bytes(PAGE) if rng.random() < 0.2 else rng.randbytes(64) * 64)
    return path


def troubles(checks, work):
    root = work / "root"
    a, b, big = (memory(work / n, p, s) for n, p, s in (("a", 500, 1), ("b", 300, 2), ("big", 20000, 3)))
    kept = {"a": a, "b": b}
    first = answer(root, "add", a, b)
    checks.check("add", None if first[0]["newPages"] + first[0]["zeroPages"] == 500 else str(first))
    answer(root, "add", "--name", "c", "--kind", "raw", b)
    own = {o["name"]: o["ownPages"] for o in answer(root, "ls")["objects"]}
    checks.check("shared", None if own["b"] == own["c"] == 0 and own["a"] > 300 else str(own))
    checks.check("name taken", oneLine(run(root, "add", a), "there is an object 'a' already"))
    checks.check("no such file", oneLine(run(root, "add", work / "none"), "No such file"))
    checks.check("no such object", oneLine(run(root, "rm", "x"), "no object 'x'"))

    r = run(root, "add", big, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20)))
    checks.check("file size limit", oneLine(r, "File too large") or problem(root, kept))

    for how, number in (("interrupted", signal.SIGINT), ("killed", signal.SIGKILL)):
        rng = random.Random(number)
        why = None
        for _ in range(8):
            p = subprocess.Popen([spacer, "--root", root, "pool", "add", big], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
            time.sleep(rng.uniform(0.005, 0.12))
            p.send_signal(number)
            text = p.communicate()[1].strip()
            if number == signal.SIGINT and p.returncode == 2 and "import canceled" not in text:
                why = why or f"it said {text!r}"
            why = why or problem(root, kept)
            if "big" in {o["name"] for o in answer(root, "ls")["objects"]}:
                answer(root, "rm", "big")
        checks.check(f"add {how} at random times", why)

    answer(root, "gc")
    answer(root, "compress", "a", "c")
    checks.check("compressed", problem(root, kept))
    answer(root, "rm", "c")
    answer(root, "gc")
    answer(root, "thaw", "a")
    checks.check("thawed", problem(root, kept))

    fifo = work / "fifo"
    os.mkfifo(fifo)
    checks.check("a pipe", oneLine(run(root, "add", fifo, timeout=10), "no regular file"))
    pages = root / "pool" / "default" / "pages"
    os.truncate(pages, pages.stat().st_size - 1)
    r = run(root, "verify")
    checks.check("short page file", None if r.returncode == 1 and "expected at least" in r.stdout else r.stdout)


def permissions(checks, work):
    """As a user who is not root and may not write."""
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    root = work / "closed"
    answer(root, "add", memory(work / "p", 10, 9))
    os.chmod(work, 0o755)
    for path in (root, root / "pool"):
        os.chmod(path, 0o755)
    r = run(root, "ls", preexec_fn=lambda: os.setuid(65534))
    checks.check("others see nothing", oneLine(r, "Permission denied"))
    folder = work / "read-only"
    folder.mkdir(mode=0o555)
    r = run(folder, "add", work / "p", preexec_fn=lambda: os.setuid(65534))
    checks.check("folder without permission", oneLine(r, "Permission denied"))


def diskFull(checks, work):
    """A file system of 4 MiB."""
    root = work / "full"
    root.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", root], stderr=subprocess.DEVNULL).returncode:
        raise Skip("tmpfs cannot be mounted")
    try:
        a = memory(work / "small", 100, 4)
        answer(root, "add", a)
        r = run(root, "add", memory(work / "large", 3000, 5))
        checks.check("disk full", oneLine(r, "No space left") or problem(root, {"small": a}))
    finally:
        subprocess.run(["umount", root], check=True)


def main():
    checks = Checks()
    if not spacer:
        print("skip pool: no spacer: build it, or say SPACER=PATH")
        return 77
    for test in (troubles, permissions, diskFull):
        with tempfile.TemporaryDirectory(prefix="spacer-pool-") as work:
            try:
                test(checks, pathlib.Path(work))
            except Skip as e:
                checks.skips(test.__name__, str(e))
            except RuntimeError as e:
                checks.fails(test.__name__, str(e))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
