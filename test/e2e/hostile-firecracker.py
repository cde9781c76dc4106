#!/usr/bin/env python3
"""Peers of `spacer serve` that are wrong, silent, or hostile: each is refused or served with one line in the log, while
a good VM reads, writes and gives back its memory all the time."""

import array
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
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from standin import PAGE, Serve, Standin, kernel, needUffd, standinPath  # noqa: E402
from harness import Checks, Skip  # noqa: E402

MIB = 16
BYTES = MIB << 20
PAGES = BYTES // PAGE
BASE = 0x7e0000000000
PATIENCE = 0.7
UFFDIO_API, UFFDIO_REGISTER = 0xC018AA3F, 0xC020AA00
checks = Checks()


def region(start=BASE, size=BYTES, offset=0, **more):
    return {"base_host_virt_addr": start, "size": size, "offset": offset, **more}


def makeUffd(features=8, handshake=True):
    fd = ctypes.CDLL(None, use_errno=True).syscall(323, os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        raise Skip("userfaultfd is not allowed")
    if handshake:
        fcntl.ioctl(fd, UFFDIO_API, struct.pack("QQQ", 0xAA, features, 0))
    return fd


def register(uffd, start, size):
    fcntl.ioctl(uffd, UFFDIO_REGISTER, bytearray(struct.pack("QQQQ", start, size, 1, 0)))


def memory(size, flags=0):
    m = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | flags)
    return m, ctypes.addressof(ctypes.c_char.from_buffer(m))


class Victim:
    """The server, a good VM at work, and how to be bad to the first."""

    def __init__(self, folder, serve, good, content):
        self.folder, self.serve, self.good, self.content = folder, serve, good, content
        self.rounds = 0
        self.problem = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        try:
            while not self.stop.is_set():
                at = 2048 + self.rounds * 97 % 1024
                self.good.do(f"storm 2 16 20 {at}")
                found = self.good.dump(512 + self.rounds % 512, 64)
                at = (512 + self.rounds % 512) * PAGE
                if found != self.content[at:at + len(found)]:
                    raise RuntimeError("wrong bytes")
                self.rounds += 1
        except Exception as e:
            self.problem = f"the good VM: {e}"

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.serve.place)  # waits while the server's backlog is full
        s.settimeout(20)
        return s

    def says(self, text, since, count=1):
        """A problem unless the log has so many new lines that are no information, all with the text."""
        if not self.serve.log.wait(text, 20, since):
            return f"no line with '{text}': {self.serve.log.all[since:]}"
        end = time.monotonic() + 5
        while (lines := [x for x in self.serve.log.all[since:] if " info: " not in x]) and \
                len(lines) < count and time.monotonic() < end:
            time.sleep(0.01)
        wrong = [x for x in lines if text not in x]
        if len(lines) != count or wrong:
            return f"{len(lines)} lines, expected {count} with '{text}': {(wrong or lines)[-1]}"


def refused(victim, name, why, data, fds=(), pieces=0, close=False):
    """Sends, and wants the connection to end with one line."""
    since = len(victim.serve.log.all)
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    s = victim.connect()
    try:
        step = pieces or max(1, len(data))
        for at in range(0, len(data), step):
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds and not at else []
            try:
                s.sendmsg([data[at:at + step]], rights)
            except (BrokenPipeError, ConnectionResetError):
                break  # it has seen enough
            if pieces:
                time.sleep(0.001)
        if close:
            s.close()
        else:
            try:
                while s.recv(100):
                    pass
            except ConnectionResetError:
                pass
            except socket.timeout:
                checks.fails(name, "the connection stays open")
                return
    finally:
        s.close()
    checks.check(name, victim.says(why, since) or victim.problem)


def inChild(body):
    """A process that runs body(); its pid. It waits when done, until it is killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os.write(writing, b"1")
            while True:
                signal.pause()
        except BaseException as e:
            print(f"     {type(e).__name__}: {e}", flush=True)
        finally:
            os._exit(1)
    os.close(writing)
    done = os.read(reading, 1) == b"1"
    os.close(reading)
    return pid, done


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def messages(victim):
    uffd = makeUffd()
    event = os.eventfd(0)
    plain = os.open("/dev/null", os.O_RDWR)
    good = [region(page_size=4096)]
    half = BYTES // 2
    table = [
        ("bad JSON", "is no JSON", b"[{\"base_host_virt_addr\": }]"),
        ("no array", "does not start with '['", {"regions": good}),
        ("an HTTP request", "does not start with '['", b"GET / HTTP/1.1\r\n\r\n"),
        ("NUL bytes", "does not start with '['", bytes(100)),
        ("a megabyte of [", "nested deeper", b"[" * (1 << 20)),
        ("a megabyte of spaces", "more than 65536 bytes", b" " * (1 << 20)),
        ("a megabyte in a string", "more than 65536 bytes", b'["' + b"x" * (1 << 20)),
        ("more after the end", "more after its end", json.dumps(good).encode() + b"x"),
        ("no regions", "has no regions", []),
        ("a number too large", "no whole number", b'[{"base_host_virt_addr":99999999999999999999,"size":4096,"offset":0}]'),
        ("a region that is negative", "no whole number", [region(size=-PAGE)]),
        ("overlapping regions", "overlap in memory", [region(size=half), region(BASE + PAGE, half, half)]),
        ("regions that overlap in the snapshot", "overlap in the snapshot",
         [region(size=half), region(BASE + BYTES, half, half - PAGE)]),
        ("an unaligned address", "no multiple of the page size", [region(BASE + 1)]),
        ("an unaligned size", "no multiple of the page size", [region(size=BYTES - 1)]),
        ("an unaligned offset", "no multiple of the page size", [region(size=half, offset=17)]),
        ("past the end", "end past the snapshot", [region(offset=PAGE)]),
        ("far past the end", "end past the snapshot", [region(size=1 << 63, offset=1 << 63)]),
        ("zero", "size 0", [region(size=0)]),
        ("less than the snapshot", "not the same machine", [region(size=half)]),
        ("pages of 8 KiB", "expected 4096 or 2097152", [region(page_size=8192)]),
        ("page sizes that contradict", "but page_size_kib", [region(page_size=4096, page_size_kib=2097152)]),
    ]
    for name, why, data in table:
        refused(victim, name, why, data, [uffd])
    refused(victim, "no descriptor", "0 descriptors, expected 1", good)
    refused(victim, "two descriptors", "2 descriptors, expected 1", good, [uffd, uffd])
    refused(victim, "a hundred descriptors", "more descriptors than 8", good, [event] * 100)
    refused(victim, "an eventfd", "no userfaultfd", good, [event])
    refused(victim, "a file", "no userfaultfd", good, [plain])
    refused(victim, "a uffd without its handshake", "has not had its UFFDIO_API", good, [makeUffd(handshake=False)])
    refused(victim, "a uffd with remap events", "remap or unmap events", good, [makeUffd(4)])
    refused(victim, "a message in pieces, wrong at its end", "is no JSON", b'[{"size": 12,}]', [uffd], pieces=1)
    refused(victim, "a peer that leaves in the middle", "closed after 5 bytes", b'[{"ba', [uffd], close=True)
    refused(victim, "a peer that says nothing", "no whole message", b"", [])
    refused(victim, "half a message, then nothing", "no whole message", b'[{"base', [uffd])


def processes(victim):
    serve = victim.serve

    since = len(serve.log.all)
    pid, done = inChild(lambda: setattr(victim, "kept", (s := victim.connect(), s.send(b'[{"ba'))))
    end(pid)
    checks.check("a process killed in its handshake", victim.says("before the message was whole", since))

    since = len(serve.log.all)
    silent = [victim.connect() for _ in range(150)]
    with Standin(victim.folder) as vm:
        vm.load(victim.folder / "state", "Uffd", serve.place)
        found = vm.dump(0, 1024)
    for s in silent:
        s.close()
    checks.check("150 silent connections do not keep a good one out",
                 victim.problem or (found != victim.content[:1024 * PAGE] and "wrong bytes"))
    time.sleep(PATIENCE + 0.3)  # until the server is done with them

    def send(uffd, regions):
        s = victim.connect()
        s.sendmsg([json.dumps(regions).encode()],
                  [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [uffd]))])
        return s

    def served(body):
        """A child that gets through its handshake, does body(), and is killed: two lines of information."""
        since = len(serve.log.all)
        pid, done = inChild(body)
        accepted = serve.log.wait(f"process {pid}: serves", 10, since)
        time.sleep(0.1)
        end(pid)
        if not accepted:
            return f"it was not served: {serve.log.all[since:]}"
        if not serve.log.wait(f"process {pid}: ended", 10, since):
            return f"its end was not seen: {serve.log.all[since:]}"
        return victim.problem or (not done and "the child failed")

    def nowhere():
        send(makeUffd(), [region(4096 * 16)])
        time.sleep(0.1)

    checks.check("regions where nothing is mapped", served(nowhere))

    def unmaps():
        m, at = memory(BYTES)
        uffd = makeUffd()
        register(uffd, at, BYTES)
        send(uffd, [region(at)])
        ctypes.string_at(at + 5 * PAGE, 1)
        ctypes.CDLL(None).munmap(ctypes.c_void_p(at), ctypes.c_size_t(BYTES // 2))
        ctypes.string_at(at + BYTES - PAGE, 1)

    checks.check("memory unmapped behind the server's back", served(unmaps))

    def floods():
        m, at = memory(BYTES)
        uffd = makeUffd()
        register(uffd, at, BYTES)
        send(uffd, [region(at)])
        libc = ctypes.CDLL(None)
        for i in range(3000):
            ctypes.string_at(at + i * 7 % PAGES * PAGE, 1)
            libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(BYTES), 4)

    checks.check("a flood of removals", served(floods))

    def foreign():
        # Memory of another size than the message says: the page that it reads must be the snapshot's or never come.
        m, at = memory(BYTES)
        uffd = makeUffd()
        register(uffd, at, BYTES)
        send(uffd, [region(at, page_size=2 << 20)] if at % (2 << 20) == 0 else [region(at)])
        if ctypes.string_at(at + 600 * PAGE, PAGE) != victim.content[600 * PAGE:601 * PAGE]:
            raise RuntimeError("wrong bytes")

    checks.check("small pages said to be large", served(foreign))

    def sameTwice():
        m, at = memory(BYTES)
        uffd = makeUffd()
        register(uffd, at, BYTES)
        send(uffd, [region(at)])
        send(uffd, [region(at)])
        for p in range(0, PAGES, 64):
            if ctypes.string_at(at + p * PAGE, PAGE) != victim.content[p * PAGE:(p + 1) * PAGE]:
                raise RuntimeError("wrong bytes")

    checks.check("one memory handed over twice", served(sameTwice))


def ends(victim):
    """A peer that stays with memory that cannot be brought does not keep others from being drained."""
    serve = victim.serve
    uffd = makeUffd()

    def stays():
        s = victim.connect()
        s.sendmsg([json.dumps([region(4096 * 16)]).encode()],
                  [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [uffd]))])

    since = len(serve.log.all)
    pid, _ = inChild(stays)
    serve.log.wait(f"process {pid}: serves", 10, since)
    serve.process.terminate()
    time.sleep(1)
    end(pid)
    try:
        status = serve.process.wait(30)
    except Exception:
        status = "none: it still runs"
    checks.check("SIGTERM with a peer whose memory is nowhere", status and f"status {status}")
    after = victim.good.dump(512, 512)
    checks.check("the good VM after that", after != victim.content[512 * PAGE:1024 * PAGE] and "wrong bytes")


def main():
    try:
        needUffd()
        standinPath()
    except Skip as e:
        print(f"skip: {e}")
        return 77
    with tempfile.TemporaryDirectory(prefix="spacer-fc-") as name:
        folder = pathlib.Path(name)
        with Standin(folder) as vm:
            vm.boot(kernel(folder / "kernel"), MIB, balloon=True)
            vm.do("fill 512 1536 42")
            vm.snapshot(folder / "state", folder / "memory")
        content = (folder / "memory").read_bytes()
        with Serve("serve", f"--socket={folder}/uffd", f"--timeout={PATIENCE}", folder / "memory") as serve, \
                Standin(folder) as good:
            good.load(folder / "state", "Uffd", folder / "uffd")
            victim = Victim(folder, serve, good, content)
            try:
                messages(victim)
                processes(victim)
            finally:
                victim.stop.set()
                victim.thread.join()
            checks.check("the good VM saw nothing of it", victim.problem, f"{victim.rounds} rounds")
            ends(victim)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
