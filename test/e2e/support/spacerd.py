"""What the tests of spacerd share: a pool, a running daemon, clients, raw packets."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent.parent
sys.path.insert(0, str(here.parent))

from harness import Checks, Skip  # noqa: E402

build = pathlib.Path(os.environ.get("SPACER_BUILD") or root / "build")
spacer = os.environ.get("SPACER") or str(build / "bin" / "spacer")
spacerd = str(pathlib.Path(spacer).parent / "spacerd")
client = str(build / "test" / "support" / "daemon-client")


def needKernel():
    for program in (spacer, spacerd, client):
        if not pathlib.Path(program).is_file():
            raise Skip(f"{program} is not built")
    if not pathlib.Path("/dev/userfaultfd").exists() and os.geteuid() != 0:
        raise Skip("/dev/userfaultfd is missing and this is not root")


def run(*argv, timeout=60, **more):
    r = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, **more)
    return r.returncode, r.stdout


def makeObject(work, domain, name, pages, seed):
    memory = work / f"{domain}-{name}.mem"
    for argv in (("make", memory, pages, seed), ("add", work / "pool", domain, name, memory)):
        status, text = run(client, *argv)
        if status:
            raise RuntimeError(f"daemon-client {argv[0]}: {text}")
    memory.unlink()


class Daemon:
    """spacerd over WORK/pool with its sockets in WORK/run; stopped and checked by close()."""

    def __init__(self, work, *options, capacity=16, threads=2):
        self.run = work / "run"
        (work / "pool").mkdir(exist_ok=True)
        self.log = open(work / "spacerd.log", "ab+")
        self.process = subprocess.Popen(
            [spacerd, f"--directory={work / 'pool'}", f"--run={self.run}", f"--capacity={capacity}",
             f"--threads={threads}", *options], stdin=subprocess.DEVNULL, stderr=self.log)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.stats()
                return
            except (OSError, RuntimeError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"spacerd does not start: {self.text()[-500:]}")
                time.sleep(0.02)

    def text(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def socket(self, name="default"):
        return str(self.run / f"{name}.sock")

    def connect(self, name="default"):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(20)
        s.connect(self.socket(name))
        return s

    def ask(self, name, request, fds=()):
        with self.connect(name) as s:
            return ask(s, request, fds)

    def stats(self):
        answer, fds = self.ask("control", {"op": "stats"})
        if not answer.get("ok"):
            raise RuntimeError(answer)
        with os.fdopen(fds[0], "rb") as f:
            return json.loads(f.read())

    def worker(self):
        return self.stats()["pid"]

    def terminate(self, timeout=30):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def close(self):
        try:
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(20)
                except subprocess.TimeoutExpired:
                    pass
            # The worker, whoever its keeper is now.
            for pid in daemons(self.run):
                os.kill(pid, signal.SIGKILL)
        finally:
            self.log.close()


def daemons(run):
    """Processes of the spacerd that has its sockets in `run`."""
    found = []
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            try:
                words = (p / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words and words[0].endswith(b"spacerd") and f"--run={run}".encode() in words:
                found.append(int(p.name))
    return found


def ask(s, request, fds=()):
    """(answer, descriptors) to a request: a dict, or bytes as they are; ({}, []) if the connection ends."""
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    try:
        socket.send_fds(s, [data], list(fds))
        data, received, _, _ = socket.recv_fds(s, 1 << 17, 16)
    except (ConnectionResetError, BrokenPipeError):
        return {}, []
    return (json.loads(data) if data else {}), received


class Client:
    """A daemon-client that touches memory."""

    def __init__(self, daemon, name, seed, *options, domain="default"):
        self.process = subprocess.Popen([client, "touch", daemon.socket(domain), name, str(seed), *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def waitFor(self, word):
        line = self.process.stdout.readline()
        if not line.startswith(word):
            raise RuntimeError(f"client said {line.strip()!r}, expected {word!r}")

    def go(self):
        self.process.stdin.write("g")
        self.process.stdin.flush()

    def finish(self, timeout=120):
        """(what is wrong or "", longest fault in us)"""
        try:
            out, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return "hangs", 0
        line = (out.strip().splitlines() or [""])[-1]
        if self.process.returncode or not line.startswith("ok "):
            return line or f"status {self.process.returncode}", 0
        return "", int(dict(w.split("=") for w in line.split()[1:])["longest"])


def main(body):
    """Runs body(checks, work) with a scratch folder."""
    checks = Checks()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    work = pathlib.Path(tempfile.mkdtemp(prefix="spacerd-e2e-", dir=memory))
    try:
        needKernel()
        body(checks, work)
    except Skip as e:
        checks.skips(pathlib.Path(sys.argv[0]).stem, str(e))
    except (RuntimeError, OSError, subprocess.TimeoutExpired, KeyError) as e:
        checks.fails(pathlib.Path(sys.argv[0]).stem, f"{type(e).__name__}: {e}")
    finally:
        log = work / "spacerd.log"
        if checks.failed and log.exists():
            print("the daemon's log ends:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-30:]))
        for pid in daemons(work / "run"):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(checks.finish())
