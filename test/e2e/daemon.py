#!/usr/bin/env python3
"""spacerd from start to stop: sharing, statistics, metrics, new domains, drain, working sets, a lost keeper."""

import os
import pathlib
import re
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from spacerd import Client, Daemon, daemons, main, makeObject, run, spacer, spacerd  # noqa: E402

PAGES = 1024


def held(daemon, name, seed, *options):
    """A client that has touched its pages and waits for the end of its input."""
    c = Client(daemon, name, seed, "--hold", *options)
    c.waitFor("holding")
    return c


def http(path, request):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(10)
    s.connect(str(path))
    s.send(request)
    data = b""
    while part := s.recv(65536):
        data += part
    s.close()
    head, _, body = data.decode().partition("\r\n\r\n")
    return head, body


def metricsProblem(body):
    helped, typed = set(), set()
    for line in body.splitlines():
        words = line.split()
        if line.startswith("# HELP"):
            helped.add(words[2])
        elif line.startswith("# TYPE"):
            typed.add(words[2])
        else:
            match = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+', line)
            if not match:
                return f"no sample: {line}"
            family = re.sub(r"_(bucket|sum|count)$", "", match[1])
            if not {match[1], family} & helped & typed or not match[1].startswith("spacer_"):
                return f"without HELP and TYPE: {line}"
    return "" if helped else "nothing"


def basics(checks, work):
    daemon = Daemon(work)
    first = held(daemon, "a", 1, "--lazy=all", "--name=first", "--write=10", "--remove")
    second = held(daemon, "a", 1, "--name=second")
    stats = daemon.stats()
    names = [s["name"] for s in stats["sessions"]]
    checks.check("only what is lazy needs a session", "" if names == ["first"] else str(names))
    row = stats["sessions"][0]
    checks.check("faults are counted", "" if row["faults"] and row["continued"] and row["copied"] else str(row))
    domain = stats["domains"][0]
    checks.check("each page once", "" if domain["presentPages"] <= domain["committedPages"] else str(domain))

    status, text = run(spacer, "stats", "--daemon", daemon.run)
    checks.check("spacer stats", "" if status == 0 and "first" in text and "default" in text else text)
    status, text = run(spacer, "stats", "--json", "--daemon", daemon.run)
    checks.check("spacer stats --json", "" if status == 0 and '"sessions"' in text else text)
    status, text = run(spacer, "stats", "--daemon", work / "nowhere")
    checks.check("spacer stats without daemon",
                 "" if status == 2 and text.count("\n") == 1 and "nowhere/control.sock" in text else text)
    head, body = http(daemon.run / "metrics.sock", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    checks.check("metrics", "" if " 200 " in head else head)
    checks.check("metrics are Prometheus text", metricsProblem(body), f"{len(body.splitlines())} lines")
    head, _ = http(daemon.run / "metrics.sock", b"GET /etc/passwd HTTP/1.1\r\n\r\n")
    checks.check("nothing else is served", "" if " 404 " in head else head)

    makeObject(work, "later", "c", 64, 3)
    answer, _ = daemon.ask("control", {"op": "reload"})
    late = Client(daemon, "c", 3, domain="later")
    wrong, _ = late.finish()
    checks.check("a domain that is made later", wrong if answer.get("ok") else str(answer))
    makeObject(work, "default", "d", 64, 4)
    wrong, _ = Client(daemon, "d", 4).finish()
    checks.check("an object that is made later", wrong)

    status, text = run(spacerd, f"--directory={work / 'pool'}", f"--run={daemon.run}")
    checks.check("one daemon a run directory", "" if status == 2 and "another spacerd" in text else text)
    modes = [oct((daemon.run / n).stat().st_mode & 0o777) for n in ("control.sock", "default.sock")]
    checks.check("permissions", "" if modes == ["0o600", "0o660"] else str(modes))
    for c, name in ((first, "first"), (second, "second")):
        wrong, _ = c.finish()
        checks.check(f"the {name} client's pages", wrong)
    checks.check("stop", "" if daemon.terminate() == 0 else "status")
    daemon.close()


def drained(checks, work):
    """A daemon that stops leaves nothing lazy behind."""
    daemon = Daemon(work)
    c = held(daemon, "b", 2, "--lazy=all", "--pages=20")
    session = daemon.stats()["sessions"][0]["session"]
    checks.check("drain by number", "" if daemon.ask("control", {"op": "drain", "session": session})[0].get("ok")
                 else "refused")
    answer, _ = daemon.ask("control", {"op": "drain", "session": 12345})
    checks.check("drain of no session", "" if answer.get("errno") == 2 else str(answer))
    daemon.terminate()
    wrong, _ = c.finish()
    checks.check("pages after drain and stop", wrong)
    daemon.close()
    daemon = Daemon(work)
    c = held(daemon, "b", 2, "--lazy=all", "--pages=20")
    checks.check("stop with something lazy", "" if daemon.terminate() == 0 else "status")
    wrong, _ = c.finish()
    checks.check("its pages after the stop", wrong)
    daemon.close()


def workingSet(checks, work):
    makeObject(work, "default", "w", PAGES, 9)
    daemon = Daemon(work)
    wrong, _ = Client(daemon, "w", 9, "--lazy=all", "--pages=100", "--write=0", "--random=5").finish()
    deadline = time.monotonic() + 5
    while daemon.stats()["sessions"] and time.monotonic() < deadline:
        time.sleep(0.05)
    daemon.terminate()
    daemon.close()
    daemon = Daemon(work)
    c = held(daemon, "w", 9, "--lazy=all", "--pages=1", "--write=0")
    time.sleep(0.5)
    row = daemon.stats()["sessions"][0]
    checks.check("a working set is kept and replayed", wrong or ("" if row["prefetched"] >= 80 else str(row)),
                 f"{row['prefetched']} pages ahead")
    wrong, _ = c.finish()
    checks.check("pages of a replayed session", wrong)
    daemon.terminate()
    daemon.close()


def lostKeeper(checks, work):
    makeObject(work, "default", "k", PAGES, 6)
    daemon = Daemon(work)
    c = Client(daemon, "k", 6, "--lazy=all", "--gate", "--seconds=3", "--remove")
    c.waitFor("mapped")
    c.go()
    keepers = [daemon.stats()["keeper"]]
    for _ in range(2):
        os.kill(keepers[-1], signal.SIGKILL)
        if keepers[-1] == daemon.process.pid:
            daemon.process.wait(10)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                stats = daemon.stats()
                if stats["keeper"] not in keepers and stats["sessions"]:
                    break
            except (OSError, RuntimeError):
                pass
            time.sleep(0.02)
        keepers.append(stats["keeper"])
    checks.check("a lost keeper is replaced, twice", "" if len(set(keepers)) == 3 else str(keepers))
    os.kill(stats["pid"], signal.SIGKILL)
    wrong, longest = c.finish()
    checks.check("a client through three deaths", wrong, f"longest fault {longest / 1000:.1f} ms")
    os.kill(daemon.stats()["keeper"], signal.SIGTERM)
    deadline = time.monotonic() + 10
    while daemons(daemon.run) and time.monotonic() < deadline:
        time.sleep(0.05)
    checks.check("and still stops", "" if not daemons(daemon.run) else "processes left")
    daemon.close()


def body(checks, work):
    makeObject(work, "default", "a", PAGES, 1)
    makeObject(work, "default", "b", PAGES, 2)
    for part in (basics, drained, workingSet, lostKeeper):
        part(checks, work)
    daemon = Daemon(work, "--no-keeper")
    wrong, _ = Client(daemon, "a", 1, "--lazy=all", "--remove").finish()
    checks.check("without keeper", wrong or ("" if daemon.terminate() == 0 else "status"))
    daemon.close()


main(body)
