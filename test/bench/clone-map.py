#!/usr/bin/env python3
"""Time to compose a clone's memory from a plan, against a bare loop of the same mmap calls.

A guest of 256 MiB from at most 1,000 runs of a pool in memory: decoding the plan and mapPlan(), interleaved with the
bare loop in one process; medians of the times and of the ratios of neighbouring rounds. Bars of the issue: at most
3 ms, and at most 1.2 times the bare loop. The other rows are for the curious: planning included, more runs, and a
budget that makes the planner copy."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from measure import bar, table

build = pathlib.Path(os.environ.get("SPACER_BUILD") or pathlib.Path(__file__).resolve().parents[2] / "build")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    program = build / "bench" / "CloneMapBench"
    if not program.exists():
        print("skip clone-map: no CloneMapBench: build the tests, or say SPACER_BUILD=FOLDER")
        return 77
    rows, results, missed = [], [], False
    for runs, mappings in ((1, 10000), (100, 10000), (1000, 10000), (4000, 10000), (4000, 2000)):
        text = subprocess.run([program, "256", str(runs), str(options.rounds), str(mappings)], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        found = json.loads(text)
        bare, plan, make = (found.pop(k) for k in ("bare", "plan", "make"))
        found |= {"bareUs": statistics.median(bare) / 1e3, "planUs": statistics.median(plan) / 1e3,
                  "makeUs": statistics.median(make) / 1e3, "ratio": statistics.median(p / b for p, b in zip(plan, bare))}
        results.append(found)
        barred = runs == 1000
        if barred:
            missed = found["ratio"] > 1.2 or found["planUs"] > 3000
        rows.append([f"{found['runs']} runs" + (f", budget {mappings}" if found["copyPages"] else ""), found["mappings"],
                     found["copyPages"], f"{found['bareUs']:.0f}", f"{found['planUs']:.0f}", f"{found['makeUs']:.0f}",
                     f"{found['ratio']:.3f}",
                     f"{bar(found['planUs'] / 1e3, 3)} ms, {bar(found['ratio'], 1.2)}" if barred else ""])
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        print(f"guest of 256 MiB, {options.rounds} interleaved rounds, medians in microseconds")
        table(["", "mappings", "copied pages", "bare mmaps", "decode + map", "plan + map", "ratio", "bar"], rows)
    return int(missed)


sys.exit(main())
