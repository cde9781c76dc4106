#!/usr/bin/env python3
"""A hundred processes with 8 MiB each, all read and a tenth written: what the host holds (sum of Pss)."""

import importlib
import sys

from harness import Checks

run = importlib.import_module("remove-storm").run
CLIENTS, PAGES = 100, 2048


def main():
    checks = Checks()
    found = run(checks, "sharing", "sharing", CLIENTS, PAGES, seconds=300)
    if found:
        # The pool once, and what each wrote.
        least = PAGES * 4 + CLIENTS * (PAGES // 10) * 4
        ratio = found["continueKiB"] / least
        note = f"{found['continueKiB'] / 1024:.0f} MiB, copies {found['copyKiB'] / 1024:.0f} MiB, the least {least / 1024:.0f} MiB"
        checks.check("every page is right", found["wrong"] and f"{found['wrong']} wrong")
        checks.check("what is not written is held once", ratio > 1.05 and f"{ratio:.3f} of the least: {note}", note)
        checks.check("copies are held a hundred times",
                     found["copyKiB"] < CLIENTS * PAGES * 4 * 0.99 and f"{found['copyKiB']} KiB")
    sys.exit(checks.finish())


if __name__ == "__main__":
    main()
