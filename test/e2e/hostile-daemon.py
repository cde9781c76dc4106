#!/usr/bin/env python3
"""What hostile clients send to spacerd gets one error each; the daemon and a well-behaved client go on."""

import ctypes
import fcntl
import json
import mmap
import os
import pathlib
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from spacerd import Client, Daemon, Skip, ask, client, main, makeObject, run  # noqa: E402

PAGES = 1024
PAGE = 4096
USERFAULTFD_IOC_NEW = 0xAA00
UFFDIO_API = 0xC018AA3F


def newUffd():
    """A userfaultfd of this process, handshake done."""
    try:
        device = os.open("/dev/userfaultfd", os.O_RDWR | os.O_CLOEXEC)
        fd = fcntl.ioctl(device, USERFAULTFD_IOC_NEW, os.O_CLOEXEC | os.O_NONBLOCK)
        os.close(device)
        fcntl.ioctl(fd, UFFDIO_API, bytearray(struct.pack("QQQ", 0xAA, 1 << 3, 0)))  # EVENT_REMOVE
        return fd
    except OSError as e:
        raise Skip(f"userfaultfd: {e}")


class Hostile:
    def __init__(self, checks, daemon):
        self.checks, self.daemon = checks, daemon

    def refused(self, name, request, fds=(), expect="", errno=None, sock="default", opened=True, ends=True):
        """The request gets an error that contains `expect`, and the connection ends (or does not)."""
        with self.daemon.connect(sock) as s:
            if opened and sock != "control":
                answer, got = ask(s, {"op": "open", "object": "a", "lazy": "all"})
                for fd in got:
                    os.close(fd)
                if not answer.get("ok"):
                    return self.checks.fails(name, f"open: {answer}")
            answer, got = ask(s, request, fds)
            for fd in got:
                os.close(fd)
            problem = ""
            if answer.get("ok") is not False or "\n" in answer.get("error", "\n"):
                problem = f"answered {answer}"
            elif expect not in answer["error"]:
                problem = f"said {answer['error']!r}, expected {expect!r}"
            elif errno is not None and answer["errno"] != errno:
                problem = f"errno {answer['errno']}, expected {errno}"
            elif bool(self.after(s)) == ends:
                problem = "the connection " + ("goes on" if ends else "ends")
            self.checks.check(name, problem)

    @staticmethod
    def after(s):
        answer, fds = ask(s, {"op": "release"})
        for fd in fds:
            os.close(fd)
        return answer.get("ok")


def attach(*ranges, object="a", name="x"):
    return {"op": "attach", "object": object, "name": name,
            "ranges": [{"start": hex(s), "bytes": b, "guest": g} for s, b, g in ranges]}


def badText(h):
    open_ = {"op": "open", "object": "a"}
    h.refused("no JSON", b"hello", expect="no JSON")
    h.refused("half a request", json.dumps(open_).encode()[:-3], expect="no JSON")
    h.refused("binary", bytes(range(1, 256)), expect="no JSON")
    h.refused("a list", b"[]", expect="expected an object")
    h.refused("60,000 brackets", b"[" * 60000, expect="nests deeper")
    h.refused("an unknown operation", {"op": "exec"}, expect="unknown operation")
    h.refused("an unknown field", {**open_, "path": "/etc/shadow"}, expect="unknown field")
    h.refused("a wrong type", {"op": "open", "object": ["a"]}, expect="expected string")
    h.refused("mappings 0", {**open_, "mappings": 0}, expect="at least 1")
    h.refused("administration on a domain's socket", {"op": "stats"}, expect="not for this socket")
    h.refused("open on the control socket", open_, sock="control", expect="not for this socket")
    for name in ("../../etc/passwd", "/etc/passwd", ".hidden", "a/b", "", "x" * 201, "a\u0000b"):
        h.refused(f"object {name[:20]!r}", {"op": "open", "object": name}, expect="expected 1 to 200")
    h.refused("an object that is not there", {"op": "open", "object": "nothing"}, errno=2, ends=False)
    h.refused("an object of another domain", {"op": "open", "object": "secret"}, errno=2, ends=False)
    h.refused("too long a packet", b"[" * (65 << 10), expect="longer than")
    with h.daemon.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, 32, 4 << 20)  # SO_SNDBUFFORCE
        try:
            answer, _ = ask(s, b"[" * (1 << 20))
            h.checks.check("a megabyte of brackets", "" if answer.get("ok") is False else str(answer))
        except OSError as e:  # the kernel refuses such a packet
            h.checks.passes("a megabyte of brackets", str(e))


def badDescriptors(h):
    null = os.open("/dev/null", os.O_RDONLY)
    good = newUffd()
    one = attach((0x7000_0000, PAGE, 1))
    h.refused("attach without descriptor", one, expect="0 descriptors")
    h.refused("attach with three", one, [null] * 3, expect="3 descriptors")
    h.refused("open with one", {"op": "open", "object": "a"}, [null], expect="1 descriptors")
    h.refused("many descriptors", one, [null] * 50, expect="descriptors")
    h.refused("no userfaultfd", one, [null], expect="no userfaultfd")
    h.refused("no pidfd", one, [good, null], expect="no pidfd")
    h.refused("two userfaultfds", one, [good, good], expect="no pidfd")
    os.close(null)
    os.close(good)


def slowDescriptors(h):
    """Sockets whose closing waits 30 seconds for a peer that does not read, in each way that a client can send one."""
    listener = socket.create_server(("127.0.0.1", 0))
    peers = []
    worker = h.daemon.worker()

    def slow():
        s = socket.create_connection(listener.getsockname())
        peers.append(listener.accept()[0])
        s.setblocking(False)
        try:
            while True:
                s.send(bytes(1 << 20))
        except BlockingIOError:
            pass
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
        return s

    def send(name, text, count, sock="default", packets=1, answered=True):
        fds = [slow() for _ in range(count)]
        kind = socket.SOCK_STREAM if sock == "metrics" else socket.SOCK_SEQPACKET
        with socket.socket(socket.AF_UNIX, kind) as c:
            c.connect(str(h.daemon.run / f"{sock}.sock"))
            os.kill(worker, signal.SIGSTOP)  # so that ours are not the last to close
            for _ in range(packets):
                socket.send_fds(c, [text], [f.fileno() for f in fds])
            for f in fds:
                f.close()
            os.kill(worker, signal.SIGCONT)
            if answered:
                c.settimeout(5)
                try:
                    c.recv(1 << 16)
                except OSError:
                    pass
        before = time.monotonic()
        h.daemon.stats()
        gap = time.monotonic() - before
        h.checks.check(f"slow to close: {name}", "" if gap < 5 else f"the daemon was away for {gap:.1f} s")

    one = json.dumps(attach((0x7000_0000, PAGE, 1))).encode()
    send("no userfaultfd", one, 1)
    send("too many", one, 20)
    send("no JSON", b"{", 2)
    send("left unread", b"{", 1, packets=20, answered=False)
    send("metrics", b"GET /metrics HTTP/1.1\r\n\r\n", 2, sock="metrics")
    for peer in peers:
        peer.close()
    listener.close()


def badRanges(h):
    fd = newUffd()
    end = PAGES
    for name, ranges, expect in (
            ("no range", (), "no ranges"),
            ("zero bytes", ((0x70000000, 0, 0),), "at least one"),
            ("an unaligned start", ((0x70000001, PAGE, 0),), "whole pages"),
            ("unaligned bytes", ((0x70000000, 100, 0),), "whole pages"),
            ("an end past 2^64", ((0xfffffffffffff000, 2 * PAGE, 0),), "past 2^64"),
            ("an end past the guest", ((0x70000000, 2 * PAGE, end - 1),), "the object ends"),
            ("a start past the guest", ((0x70000000, PAGE, end),), "the object ends"),
            ("a guest page of 2^51", ((0x70000000, PAGE, 1 << 51),), "the object ends"),
            ("overlapping addresses", ((0x70000000, 2 * PAGE, 1), (0x70001000, PAGE, 5)), "overlap"),
            ("overlapping guest pages", ((0x70000000, 2 * PAGE, 1), (0x70009000, PAGE, 2)), "overlap"),
            ("runs that do not continue in the pool", ((0x70000000, end * PAGE, 0),), "")):
        h.refused(name, attach(*ranges), [fd], expect=expect)
    h.refused("an object that is not open", attach((0x70000000, PAGE, 1), object="b"), [fd], expect="not open")
    h.refused("an attach before any open", attach((0x70000000, PAGE, 1)), [fd], opened=False, expect="not open")
    h.refused("ranges before any open", {"op": "ranges", "ranges": [{"start": "0x1000", "bytes": PAGE, "guest": 0}]},
              opened=False, expect="nothing is open")
    with h.daemon.connect() as s:
        for got in ask(s, {"op": "open", "object": "a", "lazy": "all"})[1]:
            os.close(got)
        many = {"op": "ranges", "ranges": [{"start": "0x1000", "bytes": PAGE, "guest": 0}] * 900}
        answer = {"ok": True}
        for _ in range(200):
            answer, _ = ask(s, many)
            if not answer.get("ok"):
                break
        h.checks.check("ranges without end", "" if "ranges" in answer.get("error", "") else str(answer))
    os.close(fd)


def badManners(h):
    checks, daemon = h.checks, h.daemon
    silent = [daemon.connect() for _ in range(30)]
    for _ in range(20):  # death in the middle of things
        s = daemon.connect()
        s.send(json.dumps({"op": "open", "object": "a", "lazy": "none"}).encode())
        s.close()
    deaf = daemon.connect()
    deaf.setblocking(False)
    sent = 0
    try:
        while sent < 100000:
            deaf.send(b'{"op":"release"}')
            sent += 1
    except OSError:
        pass
    deaf.close()
    started = time.monotonic()
    answer = daemon.ask("default", {"op": "open", "object": "a", "lazy": "all"})[0]
    took = time.monotonic() - started
    checks.check("others are served meanwhile", "" if answer.get("ok") and took < 2 else f"{answer}, {took:.1f} s")
    many = []
    refusal = {}
    for _ in range(100):
        try:
            s = daemon.connect()
            many.append(s)
        except OSError:
            break
    for s in many[-5:]:
        s.settimeout(2)
        try:
            data = s.recv(4096)
            refusal = json.loads(data) if data else refusal
        except OSError:
            pass
    checks.check("a cap on connections", "" if refusal.get("errno") == 16 else f"no refusal: {refusal}")
    for s in many:
        s.close()
    time.sleep(12.5)
    closed = 0
    for s in silent:
        try:
            closed += s.recv(100) == b""
        except OSError:
            closed += 1
        s.close()
    checks.check("silence ends", "" if closed == len(silent) else f"{closed} of {len(silent)}")


def strangeSession(h):
    """A real uffd with ranges that it does not watch: harm for the liar alone."""
    fd = newUffd()
    memory = mmap.mmap(-1, 4 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    with h.daemon.connect() as s:
        ask(s, {"op": "open", "object": "a", "lazy": "all"})
        answer, _ = ask(s, attach((start, PAGE, 1)), [fd])
        again, _ = ask(s, attach((start, PAGE, 1)), [fd])
        other, _ = ask(s, attach((start + PAGE, PAGE, 3)), [fd])
    same = answer.get("ok") and again.get("session") == answer.get("session")
    h.checks.check("the same attach again gives the same session", "" if same else f"{answer} {again}")
    h.checks.check("one userfaultfd, two sessions", "" if other.get("errno") == 17 else str(other))
    os.close(fd)


def hostile(checks, work):
    makeObject(work, "default", "a", PAGES, 1)
    makeObject(work, "default", "b", PAGES, 2)
    makeObject(work, "other", "secret", 16, 3)
    (work / "pool" / "control").mkdir()
    (work / "pool" / "not-a-domain").mkdir()
    daemon = Daemon(work)
    status, text = run(client, "deny", daemon.socket(), "b")
    checks.check("a client cannot write the pool", "" if status == 0 else text)
    good = Client(daemon, "a", 1, "--lazy=all", "--remove", "--gate", "--seconds=22", "--pause=500", "--name=good")
    good.waitFor("mapped")
    good.go()
    worker = daemon.worker()
    h = Hostile(checks, daemon)
    for part in (badText, badDescriptors, slowDescriptors, badRanges, strangeSession, badManners):
        part(h)
    checks.check("the daemon lived through it", "" if daemon.worker() == worker else "another worker")
    sessions = [s for s in daemon.stats()["sessions"] if s["name"] != "good"]
    wrong, _ = good.finish()
    checks.check("a well-behaved client meanwhile", wrong)
    sockets = sorted(p.name for p in (work / "run").iterdir())
    checks.check("sockets are those of the domains", "" if sockets == [
        "control.sock", "default.sock", "lock", "metrics.sock", "other.sock"] else str(sockets))
    log = daemon.text()
    checks.check("no address or path of ours leaks into the log as lines of theirs",
                 "" if all(line.startswith("20") for line in log.splitlines()) else "a line without time")
    checks.check("the liar's session is the only one left", "" if len(sessions) <= 1 else str(sessions))
    status = daemon.terminate(40) if not sessions else 0
    checks.check("orderly stop", "" if status == 0 else f"status {status}")
    daemon.close()


main(hostile)
