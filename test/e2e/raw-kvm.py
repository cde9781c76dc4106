#!/usr/bin/env python3
"""A raw KVM guest (64-bit, ring 0, no operating system) on lazy memory: right, and shared until written."""

import importlib
import os
import sys

from harness import Checks

run = importlib.import_module("remove-storm").run


def main():
    checks = Checks()
    if not os.path.exists("/dev/kvm"):
        checks.skips("raw-kvm", "/dev/kvm is missing")
        sys.exit(checks.finish())
    found = run(checks, "raw-kvm", "kvm", 2048, seconds=120)
    if found:
        checks.check("a guest reads what the pool holds", not found["read"] and f"another sum: {found['raw']}")
        checks.check("reading makes no page its own", found["ownAfterRead"] and f"{found['ownAfterRead']} own pages")
        checks.check("a guest reads what it wrote, and the rest as before", not found["write"] and "another sum")
        written = found["written"]
        checks.check("its own pages are those that it wrote",
                     found["ownAfterWrite"] != written and f"{found['ownAfterWrite']} own, {written} written")
        checks.check("the same where it wrote first", not found["writeFirst"] and f"another sum: {found['raw']}")
        checks.check("and its own pages are those",
                     found["ownWriteFirst"] != written and f"{found['ownWriteFirst']} own, {written} written")
        checks.check("its process sees the same memory", not found["process"] and "another page")
    sys.exit(checks.finish())


if __name__ == "__main__":
    main()
