#!/usr/bin/env python3
"""VMs: run, snapshot, clone, ls, stop, rm; deaths, interruptions and wrong input.

Images of the test bed that serve lines from their console, under unmodified QEMU. Each clone gets a line of its own and
must answer it rightly; afterwards no process, file or lease is left.
"""

import os
import pathlib
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

import harness
from machines import Host, Refused, images, isRight, processes, question


def oneLine(result, *words):
    """What is wrong with a refusal, or None."""
    status, out, errors = result
    if status != 2:
        return f"status {status}, expected 2: {(out + errors).strip()[:200]}"
    lines = errors.strip().splitlines()
    if len(lines) != 1 or not lines[0].startswith("spacer: "):
        return f"{len(lines)} lines: {errors.strip()[:300]}"
    missing = [w for w in words if w not in lines[0]]
    return f"{missing} not in: {lines[0]}" if missing else None


def snapshots(host, checks, pictures):
    """Each image: boot, ask, snapshot, go on."""
    for app, image in pictures.items():
        host.boot(app, image)
        line, _ = question(app, 3)
        before = host.ask(app, line)
        checks.check(f"{app} answers", not isRight(before, *question(app, 3)) and f"{line!r}: {before!r}")
        made = host.json("snapshot", "create", app, f"{app}-ready")
        checks.check(f"{app}: snapshot has the guest's pages",
                     made["guestPages"] != 65536 and f"{made['guestPages']} pages"
                     or made["zeroPages"] + made["sharedPages"] + made["newPages"] != made["guestPages"] and str(made)
                     or made["newPages"] < 50 and f"only {made['newPages']} new pages")
        after = host.ask(app, line)
        checks.check(f"{app} goes on after its snapshot", after != before and after)
    again = host.json("snapshot", "create", "lua", "lua-again")
    checks.check("a second snapshot shares its pages", again["newPages"] > 60 and f"{again['newPages']} new pages")


def clones(host, checks):
    answers = []
    made = host.json("clone", "--count", 8, "lua-ready")
    names = [c["name"] for c in made["clones"]]
    checks.check("eight clones, numbered", names != [f"lua-ready-{i}" for i in range(1, 9)] and str(names))
    idle = {v["name"]: v for v in host.vms()}
    for i, name in enumerate(names, 1):
        host.ask(name, f"mine = {i}")
        answers.append((host.ask(name, question("lua", i)[0]), host.ask(name, "mine")))
    wrong = [(i, a) for i, a in enumerate(answers, 1) if not isRight(a[0], *question("lua", i)) or a[1] != str(i)]
    checks.check("each clone does its own work", wrong)
    busy = {v["name"]: v for v in host.vms()}
    own = [busy[n]["ownBytes"] for n in names]
    shared = [busy[n]["sharedBytes"] for n in names]
    checks.check("an idle clone owns nothing", max(idle[n]["ownBytes"] for n in names) > 65536
                 and str([idle[n]["ownBytes"] for n in names]))
    checks.check("a working clone owns little and shares much",
                 (max(own) > 2 << 20 or min(own) == 0 or min(shared) < 2 << 20) and f"own {own}, shared {shared}")
    checks.check("ls says what they are", [
        n for n in names if busy[n]["state"] != "running" or busy[n]["snapshot"] != "lua-ready"
        or busy[n]["faults"] < 100 or busy[n]["memoryBytes"] != 256 << 20])
    table = host.run("ls")[1].splitlines()
    checks.check("ls has its columns", table[0].split() != [
        "NAME", "STATE", "DRIVER", "SNAPSHOT/IMAGE", "PID", "UPTIME", "MEMORY", "SHARED", "OWN", "FAULTS"] and table[0])
    leases = {s["name"]: s["leases"] for s in host.json("snapshot", "ls")}
    checks.check("each clone has a lease", leases["lua-ready"] != 8 and str(leases))
    checks.check("a leased snapshot stays", oneLine(host.run("snapshot", "rm", "lua-ready", check=False), "lua-ready"))
    return names


def otherImages(host, checks):
    wrong = []
    for app in ("sqlite", "xml", "zlib"):
        for i, clone in enumerate(host.json("clone", "--count", 2, f"{app}-ready")["clones"], 1):
            answer = host.ask(clone["name"], question(app, i)[0])
            if not isRight(answer, *question(app, i)):
                wrong.append((clone["name"], answer))
    checks.check("clones of other images answer", wrong)


def snapshotOfClone(host, checks):
    host.run("clone", "--name", "parent", "lua-ready")
    host.ask("parent", "kept = 'from the parent'")
    made = host.json("snapshot", "create", "parent", "second", "--stop")
    host.run("clone", "--name", "child", "second")
    answer = host.ask("child", "kept .. #words")
    checks.check("a snapshot of a clone", answer != "from the parent20000" and answer)
    checks.check("it shares what the clone did not write", made["newPages"] > 300 and f"{made['newPages']} new pages")
    checks.check("--stop ends the VM", host.vm("parent")["running"] and "it runs")


def pageMaps(catalog):
    """By object: the runs of its page map (runtime/lib/PageMap.h), as first pool page and pages."""
    with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT name, map FROM object").fetchall()
    return {name: [struct.unpack_from("<QQ", blob, 40 + 24 * i) for i in range(struct.unpack_from("<Q", blob, 24)[0])]
            for name, blob in rows}


def console(host, checks):
    host.run("clone", "--name", "talk", "lua-ready")
    host.run("attach", "--idle", "0", "talk", input="for i = 1, 300 do print(i) end\n")
    host.waitFor("talk", "ready")  # nobody listens while it prints
    wanted = "".join(f"{i}\n" for i in range(1, 301)) + "ready\n"
    checks.check("nothing is lost while nobody is attached", host.log("talk") != wanted and host.log("talk")[-80:])
    checks.check("logs prints it", host.run("logs", "talk")[1] != wanted and "something else")
    status, out, _ = host.run("attach", "talk", input="40 + 2\n\4")
    checks.check("attach ends with the guest", (status or out != "42\nready\nexit 0\n") and f"{status} {out!r}")
    checks.check("wait tells how it ended", host.json("wait", "talk")[0]["state"] != "exited 0" and str(host.vm("talk")))
    held = host.popen("attach", "lua-ready-1", stdin=subprocess.PIPE)
    time.sleep(0.3)
    problem = oneLine(host.run("attach", "lua-ready-1", check=False, input=""), "attached")
    held.send_signal(signal.SIGTERM)
    held.wait(10)
    checks.check("one at a time on a console", problem)
    status, out, _ = host.run("run", "-i", "--rm", "--name", "short", "--memory", "256M",
                              host.pictures["zlib"], input="abc\n\4")
    checks.check("run -i shows all of it", (status or not out.startswith("ready\n20003 to") or "exit 0" not in out)
                 and f"{status} {out!r}")
    time.sleep(0.2)
    checks.check("--rm removes it", host.vm("short") and "still there")


def deaths(host, checks, names):
    victim = host.vm(names[0])
    os.kill(victim["pid"], signal.SIGKILL)
    time.sleep(0.3)
    seen = host.vm(names[0])
    checks.check("a killed VMM is seen", seen["running"] and "runs" or seen["state"] != "killed by signal 9"
                 and seen["state"])
    folder = host.root / "vms" / names[0]
    checks.check("its sockets are gone", [p.name for p in folder.iterdir() if p.suffix == ".sock"])
    checks.check("its lease is gone", {s["name"]: s["leases"] for s in host.json("snapshot", "ls")}["lua-ready"]
                 >= len([v for v in host.vms() if v["snapshot"] == "lua-ready"]) and "still counted")
    # The monitor dies first: nobody knows the status, the rest is the same.
    host.run("clone", "--name", "orphan", "lua-ready")
    pid = host.vm("orphan")["pid"]
    monitor = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(monitor, signal.SIGKILL)
    checks.check("VMs outlive their monitor", host.ask("orphan", "1 + 1") != "2" and "no answer")
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    checks.check("an end that nobody saw is seen", host.vm("orphan")["state"] != "exited" and host.vm("orphan")["state"])


def interruptions(host, checks):
    for sig, victim in ((signal.SIGINT, "command"), (signal.SIGTERM, "command"), (signal.SIGKILL, "command")):
        before = {v["name"] for v in host.vms()}
        old = set(processes())
        p = host.popen("clone", "--count", 60, "--name", "half", "sqlite-ready")
        time.sleep(0.4)
        p.send_signal(sig)
        p.communicate(timeout=30)
        time.sleep(1)
        left = [n for n in (v["name"] for v in host.vms()) if n not in before]
        running = [c for pid, c in processes().items() if pid not in old and "guest=half" in c]
        finished = p.returncode == 0
        checks.check(f"clone ended by {sig.name} leaves nothing",
                     not finished and (left or running) and f"{left} {running}",
                     "it was done before" if finished else "")
        if finished and left:
            host.run("rm", "--force", *left)
    for delay in (0.005, 0.02, 0.05, 0.1):
        p = host.popen("snapshot", "create", "sqlite", "cut")
        time.sleep(delay)
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=30)
        if p.returncode == 0:
            host.run("snapshot", "rm", "cut")
        checks.check(f"a snapshot that is interrupted after {delay} s leaves nothing",
                     any(s["name"] == "cut" for s in host.json("snapshot", "ls")) and "it is there"
                     or host.vm("sqlite")["state"] != "running" and host.vm("sqlite")["state"]
                     or list((host.root / "snapshots").glob(".new-*")), "it was done before" if not p.returncode else "")


def wrongInput(host, checks, work):
    image = host.pictures["zlib"]
    refuse = lambda *words: host.run(*words, check=False)
    checks.check("names are checked", oneLine(refuse("run", "--name", "../x", image), "../x", "expected"))
    checks.check("a name is taken", oneLine(refuse("run", "--name", "lua", image), "taken"))
    checks.check("a snapshot's name is taken", oneLine(refuse("snapshot", "create", "lua", "lua-ready"), "taken"))
    checks.check("no such image", oneLine(refuse("run", work / "none.elf"), "none.elf"))
    (work / "text.elf").write_text("not an image")
    checks.check("no ELF image", oneLine(refuse("run", work / "text.elf"), "text.elf", "ELF"))
    checks.check("memory is checked", oneLine(refuse("run", "--memory", "9999999G", image), "9999999G", "expected"))
    checks.check("no such VM", oneLine(refuse("stop", "nobody"), "nobody"))
    checks.check("no such snapshot", oneLine(refuse("clone", "nothing"), "nothing"))
    checks.check("no such driver", oneLine(refuse("run", "--driver", "bochs", image), "bochs", "expected"))
    checks.check("a VM that does not run", oneLine(refuse("snapshot", "create", "orphan", "x"), "orphan", "not running"))
    checks.check("rm of a running VM", oneLine(refuse("rm", "lua"), "lua", "runs"))
    # A directory without QEMU in it.
    old = host.environment["PATH"]
    host.environment["PATH"] = str(work)
    checks.check("no QEMU", oneLine(refuse("clone", "zlib-ready"), "qemu-system-x86_64"))
    host.environment["PATH"] = old
    # One behind a wrapper, where the library is loaded into the wrapper and QEMU runs without it.
    fake = work / "fake"
    fake.mkdir()
    real = shutil.which("qemu-system-x86_64")
    (fake / "qemu-system-x86_64").write_text(f'#!/bin/sh\nunset LD_PRELOAD\nexec {real} "$@"\n')
    (fake / "qemu-system-x86_64").chmod(0o755)
    host.environment["PATH"] = f"{fake}:{old}"
    checks.check("a QEMU without the preload library", oneLine(refuse("clone", "--name", "fake", "zlib-ready"),
                                                              "qemu-system-x86_64"))
    host.environment["PATH"] = old
    checks.check("it leaves nothing", host.vm("fake") and "still there")


def damage(host, checks):
    folder = host.root / "snapshots" / "zlib-ready"
    state = folder / "state"
    good = state.read_bytes()
    refuse = lambda: host.run("clone", "--name", "bad", "zlib-ready", check=False)
    state.write_bytes(good[:-100])
    checks.check("a truncated state", oneLine(refuse(), "zlib-ready/state", str(len(good) - 100), str(len(good))))
    state.write_bytes(good[:1000] + bytes([good[1000] ^ 1]) + good[1001:])
    checks.check("a changed state", oneLine(refuse(), "zlib-ready/state", "digest", "expected"))
    state.write_bytes(good)
    config = folder / "config.json"
    text = config.read_text()
    config.write_text(text[:len(text) // 2])
    checks.check("half a configuration", oneLine(refuse(), "config.json"))
    config.write_text(text)
    pages = host.root / "pool/default/pages"
    maps = pageMaps(pages.parent / "catalog.db")
    broken = max(page + count - 1 for page, count in maps["zlib-ready"])
    having = sorted(n for n, runs in maps.items() if any(p <= broken < p + count for p, count in runs))
    with open(pages, "r+b") as f:
        f.seek(broken * 4096 + 17)
        byte = f.read(1)
        f.seek(broken * 4096 + 17)
        f.write(bytes([byte[0] ^ 0x40]))
    results = []
    for name in [s["name"] for s in host.json("snapshot", "ls")]:
        results.append((name, host.run("clone", "--name", "bad", name, check=False)))
        host.run("rm", "--force", "bad", check=False)
    refused = [(n, r) for n, r in results if r[0]]
    checks.check("a corrupt page is refused where it belongs", sorted(n for n, r in refused) != having and str(results)[:300]
                 or oneLine(refused[0][1], refused[0][0], "page"))
    with open(pages, "r+b") as f:
        f.seek(broken * 4096 + 17)
        f.write(byte)


def everythingGoes(host, checks):
    pids = {v["pid"] for v in host.vms() if v["running"]}
    parents = {int(pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()[1]) for p in pids} - {1}
    names = [v["name"] for v in host.vms()]
    host.run("stop", *(v["name"] for v in host.vms() if v["running"]))
    checks.check("stop ends them", [v["name"] for v in host.vms() if v["running"]])
    host.run("rm", *names)
    time.sleep(0.3)
    alive = processes()
    checks.check("no process is left", [alive[p] for p in pids | parents if alive.get(p)])
    checks.check("no folder is left", [p.name for p in (host.root / "vms").iterdir()])
    left = [(s["name"], s["leases"]) for s in host.json("snapshot", "ls") if s["leases"]]
    checks.check("no lease is left", left)
    host.run("snapshot", "rm", *(s["name"] for s in host.json("snapshot", "ls")))
    checks.check("no snapshot is left", list((host.root / "snapshots").iterdir()))


def everything(checks, work):
    with Host(work) as host:
        host.pictures = images(work)
        snapshots(host, checks, host.pictures)
        names = clones(host, checks)
        otherImages(host, checks)
        snapshotOfClone(host, checks)
        console(host, checks)
        deaths(host, checks, names)
        interruptions(host, checks)
        wrongInput(host, checks, work)
        damage(host, checks)
        everythingGoes(host, checks)


def body(options, tools, checks, work):
    try:
        everything(checks, work)
    except Refused as e:
        checks.fails("vm", str(e))


harness.main(__doc__, body)
