#!/usr/bin/env python3
"""What a served fault costs, against a bare loop of poll, read and one ioctl in the same run.

Ratios are medians over rounds in which both sides run in turn with new processes. Round trips: one page a fault, as
the process sees it. Rate: clients of 8 MiB touch all pages, both sides serve 16 pages to a fault with one thread.
Replay: a working set of a quarter of 16 MiB, recorded from one process and brought ahead for the next.
"""

import argparse
import json
import os
import subprocess
import sys

from measure import bar, harness, table


def run(*arguments):
    build = os.environ.get("SPACER_BUILD") or str(harness.root / "build")
    done = subprocess.run([os.path.join(build, "test", "support", "fault-tool"), *map(str, arguments)],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    trips = {what: run("round", what, 8192, options.rounds) for what in ("continue", "copy", "zero")}
    rate = run("rate", options.clients, 2048, max(3, options.rounds // 2))
    replay = run("replay", 4096, 5)
    if options.json:
        print(json.dumps({"roundTrip": trips, "rate": rate, "replay": replay}, indent=2))
        return
    table(("round trip", "p50 ours ns", "bare ns", "ratio", "bar", "p99 ours ns", "bare ns", "ratio", "bar"),
          [(what, f"{t['ours50ns']:.0f}", f"{t['bare50ns']:.0f}", f"{t['p50']:.2f}", bar(t["p50"], 1.15),
            f"{t['ours99ns']:.0f}", f"{t['bare99ns']:.0f}", f"{t['p99']:.2f}", bar(t["p99"], 1.5))
           for what, t in trips.items()])
    print(f"\n{options.clients} clients x 8 MiB: {rate['oursPagesPerSecond'] / 1e3:.0f} thousand pages a second, bare "
          f"{rate['barePagesPerSecond'] / 1e3:.0f}; ratio {rate['rate']:.2f} ({bar(rate['rate'], 0.9, atLeast=True)})")
    print(f"replay: {100 * replay['faultsLeft']:.1f}% of {replay['recordedFaults']:.0f} faults left "
          f"({bar(replay['faultsLeft'], 0.05)}), {100 * replay['faultsLeftAtOnce']:.1f}% when the work begins at once; first "
          f"answer after {replay['firstAnswerUs']:.0f} us (without replay {replay['firstAnswerWithoutUs']:.0f}), all of it "
          f"after {replay['wholeUs']:.0f} us ({replay['wholeWithoutUs']:.0f})")


if __name__ == "__main__":
    main()
