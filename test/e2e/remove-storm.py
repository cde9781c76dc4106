#!/usr/bin/env python3
"""A guest that gives memory back while it is used: every page is right.

Four threads of each of two processes (one maps the pool, one gets copies) touch, check, write and give back pages
(MADV_DONTNEED) of 64 MiB until a million pages were looked at. A page holds its content until it was given back, zeros
after that, or what was written since. A watchdog ends a run that hangs.
"""

import argparse
import json
import os
import subprocess
import sys

from harness import Checks, root


def tool():
    build = os.environ.get("SPACER_BUILD") or str(root / "build")
    return os.path.join(build, "test", "support", "fault-tool")


def run(checks, name, *arguments, seconds):
    """The JSON that fault-tool prints, or None."""
    try:
        done = subprocess.run([tool(), *map(str, arguments)], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        checks.fails(name, f"hangs: no answer within {seconds} s")
        return None
    if done.returncode == 77:
        checks.skips(name, done.stdout.strip())
        return None
    if done.returncode:
        checks.fails(name, f"status {done.returncode}: {done.stderr.strip()}")
        return None
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--touches", type=int, default=1_000_000, help="pages looked at in all")
    parser.add_argument("--seconds", type=int, default=300, help="the watchdog's patience")
    options = parser.parse_args()
    checks = Checks()
    found = run(checks, "storm", "storm", 16384, options.touches, 4, seconds=options.seconds)
    if found:
        note = f"{found['removed']} pages given back, {found['faults']} faults, {found['retries']} met EAGAIN"
        checks.check("pages of the pool's mappings are right", found["wrongMapped"] and f"{found['wrongMapped']} wrong", note)
        checks.check("copied pages are right", found["wrongCopied"] and f"{found['wrongCopied']} wrong")
        checks.check("memory was given back", not found["removed"] and "no REMOVE arrived")
    sys.exit(checks.finish())


if __name__ == "__main__":
    main()
