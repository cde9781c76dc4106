#!/usr/bin/env python3
"""Importing a raw snapshot into a pool, against copying it.

A snapshot of 1 GiB of which 30% of the pages, in runs of 1 to 32, repeat earlier ones. Rounds alternate between memcpy of the
snapshot, an import from memory, an import from a file, and cp of that file, all in a folder in memory. Bar of the issue:
hashing, lookup and comparison together, without reading the file and writing new pages, at least 50% of memcpy's speed.
Also: the whole import against cp, and what anonymous memory it takes, which must not grow by more than 40 bytes a page."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from measure import bar, table

build = pathlib.Path(os.environ.get("SPACER_BUILD") or pathlib.Path(__file__).resolve().parents[2] / "build")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--duplicates", type=int, default=30, help="percent")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
                        help="where snapshot and pool are [memory]")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    program = build / "bench" / "PoolImportBench"
    if not program.exists():
        print("skip pool-import: no PoolImportBench: build the tests, or say SPACER_BUILD=FOLDER")
        return 77
    rounds = []
    with tempfile.TemporaryDirectory(prefix="spacer-bench-", dir=options.folder) as work:
        work = pathlib.Path(work)
        for _ in range(options.rounds):
            text = subprocess.run([program, str(options.mib), str(options.duplicates), "1", work], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
            found = json.loads(text)[0]
            start = time.perf_counter()
            subprocess.run(["cp", "--reflink=never", work / "snapshot", work / "copy"], check=True)
            found["cp"] = time.perf_counter() - start
            (work / "copy").unlink()
            rounds.append(found)
    gib = options.mib / 1024
    median = {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}
    result = {
        "mib": options.mib, "sharedPercent": 100 * median["sharedPages"] / (options.mib * 256),
        "memcpyGiBs": gib / median["memcpy"], "matchGiBs": gib / median["match"], "importGiBs": gib / median["import"],
        "cpGiBs": gib / median["cp"],
        "matchToMemcpy": statistics.median(r["memcpy"] / r["match"] for r in rounds),
        "importToCp": statistics.median(r["cp"] / r["import"] for r in rounds),
        "anonymousMiB": median["anonymousBytes"] / 2**20,
        "anonymousBytesPerPage": median["anonymousBytes"] / (options.mib * 256),
    }
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print(f"{options.mib} MiB, {result['sharedPercent']:.0f}% shared, medians of {options.rounds} rounds")
        table(["", "GiB/s", "ratio", "bar"], [
            ["memcpy", f"{result['memcpyGiBs']:.2f}", "", ""],
            ["hash, look up, compare", f"{result['matchGiBs']:.2f}", f"{result['matchToMemcpy']:.2f}",
             bar(result["matchToMemcpy"], 0.5, atLeast=True)],
            ["cp", f"{result['cpGiBs']:.2f}", "", ""],
            ["whole import", f"{result['importGiBs']:.2f}", f"{result['importToCp']:.2f}", ""]])
        print(f"anonymous memory: {result['anonymousMiB']:.1f} MiB, {result['anonymousBytesPerPage']:.0f} bytes a page, "
              f"{bar(result['anonymousBytesPerPage'], 40)}")
    return int(result["matchToMemcpy"] < 0.5 or result["anonymousBytesPerPage"] > 40)


sys.exit(main())
