#!/usr/bin/env python3
"""kill -9 of spacerd's worker, again and again, under clients that fault: every page right, no client lost.

  kill-daemon.py [--kills=N] [--clients=N]        10 kills by default (SPACER_KILLS=50 for the full test)

Twenty clients, each with an object all of whose pages are lazy at first, touch pages in random order; half of them give
pages back meanwhile. The service gap is the longest time that any touch of any client took. One more client
connects now and then, also in the gap.
"""

import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from spacerd import Client, Daemon, main, makeObject  # noqa: E402

PAGES = 2048
GAP_BAR_MS = 200


def option(name, default):
    for word in sys.argv[1:]:
        if word.startswith(f"--{name}="):
            return int(word.split("=")[1])
    return default


def kills(checks, work):
    count = option("kills", int(os.environ.get("SPACER_KILLS", "10")))
    clients = option("clients", 20)
    seconds = 3 + int(count * 0.4)
    for seed in range(1, 5):
        makeObject(work, "default", f"object-{seed}", PAGES, seed)
    daemon = Daemon(work)
    running = []
    for i in range(clients):
        seed = 1 + i % 4
        options = ["--lazy=all", "--gate", f"--seconds={seconds}", f"--random={i + 1}", f"--name=client-{i}",
                   "--pause=100"]
        running.append(Client(daemon, f"object-{seed}", seed, *options, *(["--remove"] if i % 2 else [])))
    for c in running:
        c.waitFor("mapped")
    for c in running:
        c.go()
    time.sleep(0.1)
    start = time.monotonic()
    late = []
    killed = 0
    for i in range(count):
        pid = daemon.worker()
        os.kill(pid, signal.SIGKILL)
        killed += 1
        if i % 5 == 0:  # into the gap
            late.append(Client(daemon, "object-1", 1, "--lazy=all", "--remove", "--rounds=1", f"--name=late-{i}"))
        time.sleep(0.27 + random.random() * 0.15)
    took = time.monotonic() - start
    stats = daemon.stats()
    results = [c.finish() for c in running]
    lateResults = [c.finish() for c in late]
    wrong = [why for why, _ in results if why]
    checks.check("every page right, no client lost", "; ".join(wrong[:3]),
                 f"{clients} clients, {killed} kills in {took:.0f} s")
    checks.check("clients that connect in the gap", "; ".join(why for why, _ in lateResults if why),
                 f"{len(late)} clients")
    checks.check("the keeper counted them", "" if stats["restarts"] == killed else f"restarts {stats['restarts']}",
                 f"{stats['restarts']} restarts")
    gap = max(us for _, us in results) / 1000
    middle = sorted(us for _, us in results)[len(results) // 2] / 1000
    name = f"service gap at most {GAP_BAR_MS} ms"
    found = f"longest fault {gap:.1f} ms, median of clients {middle:.1f} ms"
    load = os.getloadavg()[0]
    if gap > GAP_BAR_MS and load > 2 * os.cpu_count():
        checks.skips(name, f"{found}, but at load {load:.0f} on {os.cpu_count()} processors that is no measurement")
    else:
        checks.check(name, "" if gap <= GAP_BAR_MS else found, f"{found}, load {load:.0f}")
    served = sum(d["faults"] for d in stats["domains"])
    checks.check("the last worker served faults", "" if served else "none", f"{served} faults")
    time.sleep(0.3)
    left = daemon.stats()["sessions"]
    checks.check("sessions end with their clients", f"{len(left)} left" if left else "")
    status = daemon.terminate()
    checks.check("orderly stop", "" if status == 0 else f"status {status}")
    daemon.close()


main(kills)
