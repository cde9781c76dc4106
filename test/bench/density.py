#!/usr/bin/env python3
"""What a host holds for the guest memory of many clones of different images, all of which have worked.

usage: density.py [--clones=100] [--bar=1.05] [--json]

Boots the serving applications of the test bed under QEMU, snapshots each, clones each equally often and gives every
clone a line of its own to work on. Then, over the guest memory of all QEMUs:

  held      sum of Pss, that is what the kernel charges; and pool + own pages, whether anybody touches them or not
  needed    distinct pages of all snapshots, once, and the pages that each clone dirtied: those whose content is not the
            snapshot's any more, found by comparing, page by page
  files     one file a snapshot, mapped copy-on-write by its clones: sharing inside a snapshot only
  copies    each clone with pages of its own

Distinct pages are counted by hashing what idle clones see, not by asking the pool. A guest also writes pages with what
they had (a lock that is taken and given back, zeros over zeros): no host can hold those once, and they are counted
apart. Status 1 if an answer is wrong or Pss / needed is above the bar.
"""

import argparse
import hashlib
import json
import os
import pathlib
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import PAGE, Skip  # noqa: E402
from machines import APPS, Host, Refused, images, isRight, writingQuestion  # noqa: E402

ZERO = bytes(PAGE)


class Guest:
    """Guest memory of one clone, from outside."""

    def __init__(self, host, vm):
        self.name, self.pid = vm["name"], vm["pid"]
        base, size = (host.root / "vms" / self.name / "memory").read_text().split()
        self.base, self.bytes = int(base, 16), int(size)

    def page(self, memory, number):
        return os.pread(memory, PAGE, self.base + number * PAGE)

    def pss(self):
        """Bytes that the kernel charges to this process for mappings inside guest memory."""
        total, inside = 0, False
        with open(f"/proc/{self.pid}/smaps") as f:
            for line in f:
                words = line.split()
                if not words[0].endswith(":"):
                    start, end = (int(w, 16) for w in words[0].split("-"))
                    inside = self.base <= start and end <= self.base + self.bytes
                elif inside and words[0] == "Pss:":
                    total += int(words[1]) * 1024
        return total

    def present(self):
        """(own pages, pages of files) that are there: numbers of guest pages."""
        with open(f"/proc/{self.pid}/pagemap", "rb") as f:
            f.seek(self.base // PAGE * 8)
            entries = struct.unpack(f"<{self.bytes // PAGE}Q", f.read(self.bytes // PAGE * 8))
        own = [i for i, e in enumerate(entries) if e >> 63 and not e >> 61 & 1]
        return own, sum(1 for e in entries if e >> 63 and e >> 61 & 1)


def contents(guest):
    """number → bytes of every page that is not zero."""
    pages = {}
    memory = os.open(f"/proc/{guest.pid}/mem", os.O_RDONLY)
    step = 256
    for first in range(0, guest.bytes // PAGE, step):
        piece = os.pread(memory, step * PAGE, guest.base + first * PAGE)
        if piece.count(0) == len(piece):
            continue
        for i in range(step):
            page = piece[i * PAGE:(i + 1) * PAGE]
            if page != ZERO:
                pages[first + i] = page
    os.close(memory)
    return pages


def measure(host, count, work):
    pictures = images(work)
    for app, image in pictures.items():
        host.boot(app, image)
        host.run("snapshot", "create", app, f"{app}-ready", "--stop")
    host.run("rm", "--force", *APPS)
    guests, wrong, seconds = {}, [], 0
    for app in APPS:
        made = host.json("clone", "--count", count // len(APPS), f"{app}-ready")
        seconds += made["seconds"]
        for i, clone in enumerate(made["clones"], 1):
            line, expected = writingQuestion(app, i)
            answer = host.ask(clone["name"], line)
            if not isRight(answer, line, expected):
                wrong.append(f"{clone['name']}: {answer!r}")
    listed = {v["name"]: v for v in host.vms()}
    for app in APPS:
        guests[app] = [Guest(host, v) for v in listed.values() if v["snapshot"] == f"{app}-ready" and v["running"]]

    # First what is held: everything below reads, and reading brings pages in.
    pss = sum(g.pss() for app in APPS for g in guests[app])
    own = {g.name: g.present()[0] for app in APPS for g in guests[app]}
    listedOwn = sum(listed[g.name]["ownBytes"] for app in APPS for g in guests[app]) // PAGE

    distinct, files, copies, dirtied, rewritten = set(), 0, 0, 0, 0
    for app in APPS:
        host.run("clone", "--name", f"idle-{app}", f"{app}-ready")
        before = contents(Guest(host, host.vm(f"idle-{app}")))
        distinct |= {hashlib.blake2b(p, digest_size=16).digest() for p in before.values()}
        files += len(before)
        for g in guests[app]:
            memory = os.open(f"/proc/{g.pid}/mem", os.O_RDONLY)
            changed = {n for n in own[g.name] if g.page(memory, n) != before.get(n, ZERO)}
            os.close(memory)
            dirtied += len(changed)
            rewritten += len(own[g.name]) - len(changed)
            copies += len(before) + sum(n not in before for n in changed)
    ownPages = listedOwn
    needed = len(distinct) + dirtied
    return {
        "clones": sum(map(len, guests.values())), "images": len(APPS), "wrong": wrong, "cloneSeconds": seconds,
        "distinctPages": len(distinct), "dirtiedPages": dirtied, "ownPages": ownPages, "rewrittenPages": rewritten,
        "pssBytes": pss, "poolAndOwnBytes": (len(distinct) + ownPages) * PAGE, "neededBytes": needed * PAGE,
        "pssToNeeded": pss / (needed * PAGE), "poolAndOwnToNeeded": (len(distinct) + ownPages) / needed,
        "filesToOurs": (files + ownPages) / (len(distinct) + ownPages),
        "copiesToOurs": copies / (len(distinct) + ownPages),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", type=int, default=100)
    parser.add_argument("--bar", type=float, default=1.05)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="spacer-density-", dir=memory) as work:
        try:
            with Host(work) as host:
                r = measure(host, options.clones, pathlib.Path(work))
        except Skip as e:
            print(f"skip density: {e}")
            return 77
        except Refused as e:
            print(f"density: {e}", file=sys.stderr)
            return 2
    if options.json:
        print(json.dumps(r, indent=2))
    else:
        mib = lambda b: f"{b / (1 << 20):.1f} MiB"
        print(f"{r['clones']} clones of {r['images']} images, all worked; {len(r['wrong'])} wrong answers")
        print(f"needed: {r['distinctPages']} distinct pages + {r['dirtiedPages']} dirtied = {mib(r['neededBytes'])}")
        print(f"held: Pss {mib(r['pssBytes'])}, {r['pssToNeeded']:.3f} of needed (bar {options.bar}); "
              f"pool + own {mib(r['poolAndOwnBytes'])}, {r['poolAndOwnToNeeded']:.3f} of needed")
        print(f"own pages {r['ownPages']}, of which written with what they had: {r['rewrittenPages']}")
        print(f"a file a snapshot would hold {r['filesToOurs']:.2f} times as much, copies {r['copiesToOurs']:.2f} times")
    for line in r["wrong"]:
        print(f"wrong: {line}", file=sys.stderr)
    return 1 if r["wrong"] or r["pssToNeeded"] > options.bar else 0


if __name__ == "__main__":
    sys.exit(main())
