"""The stand-in for Firecracker and `spacer serve`, for the tests that use them."""

import http.client
import json
import os
import pathlib
import queue
import socket
import subprocess
import sys
import threading
import time

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))

from harness import Skip, root  # noqa: E402

PAGE = 4096
HUGE = 2 << 20
RELEASES = ("1.1", "1.5", "1.7", "1.10", "1.11", "1.12", "1.14", "1.16")


def buildFolder():
    return pathlib.Path(os.environ.get("SPACER_BUILD") or root / "build")


def spacerPath():
    return os.environ.get("SPACER") or str(buildFolder() / "bin" / "spacer")


def standinPath():
    path = buildFolder() / "test" / "support" / "standin-firecracker"
    if not path.exists():
        raise Skip(f"{path} is not built")
    return str(path)


class Lines:
    """What a program writes, line by line, as it comes."""

    def __init__(self, stream):
        self.all = []
        self.new = queue.Queue()
        self.thread = threading.Thread(target=self.read, args=(stream,), daemon=True)
        self.thread.start()

    def read(self, stream):
        for line in stream:
            self.all.append(line.rstrip("\n"))
            self.new.put(self.all[-1])
        self.new.put(None)

    def next(self, timeout=60):
        """None at the end."""
        try:
            return self.new.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no line in {timeout} s; so far {self.all[-3:]}") from None

    def wait(self, text, timeout=20, after=0):
        """The first line from number `after` on that has the text; None if none comes."""
        end = time.monotonic() + timeout
        while True:
            for line in self.all[after:]:
                if text in line:
                    return line
            if time.monotonic() > end or (not self.thread.is_alive()):
                return next((line for line in self.all[after:] if text in line), None)
            time.sleep(0.005)


class Refused(Exception):
    """A fault_message."""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Standin:
    def __init__(self, folder, release="1.16", regions=1, pieces=0, under=(), program=None):
        self.folder = pathlib.Path(folder)
        self.release = release
        number = 0
        while (self.folder / f"api{number}").exists():
            number += 1
        self.socket = self.folder / f"api{number}"
        argv = [*under, program or standinPath(), "--api-sock", self.socket, f"--protocol={release}",
                f"--regions={regions}", f"--pieces={pieces}"]
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE if under else None, text=True, bufsize=1,
                                        # A sanitizer must leave SIGBUS to the kernel: poisoned pages cause it.
                                        env={**os.environ, "ASAN_OPTIONS": "handle_sigbus=0"})
        self.console = Lines(self.process.stdout)
        self.log = Lines(self.process.stderr) if under else None
        end = time.monotonic() + 30
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the stand-in did not start")
            time.sleep(0.002)

    @property
    def pid(self):
        return self.process.pid

    def api(self, method, path, body=None):
        """The answer; Refused with the fault_message."""
        connection = UnixConnection(self.socket)
        for attempt in range(200):
            try:
                connection.connect()
                break
            except ConnectionRefusedError:  # bound, not listening yet
                time.sleep(0.005)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        value = json.loads(text) if text else None
        if answer.status >= 300:
            raise Refused(value["fault_message"])
        return value

    def boot(self, kernel, mib, huge=False, balloon=False, arguments=""):
        config = {"vcpu_count": 1, "mem_size_mib": mib}
        if huge:
            config["huge_pages"] = "2M"
        self.api("PUT", "/machine-config", config)
        self.api("PUT", "/boot-source", {"kernel_image_path": str(kernel), "boot_args": arguments})
        if balloon:
            self.api("PUT", "/balloon", {"amount_mib": 0, "deflate_on_oom": False})
        self.api("PUT", "/actions", {"action_type": "InstanceStart"})
        return self

    def load(self, state, backend, path, resume=True):
        if self.release == "1.0":
            body = {"mem_file_path": str(path)}
        else:
            body = {"mem_backend": {"backend_type": backend, "backend_path": str(path)}}
        self.api("PUT", "/snapshot/load", {"snapshot_path": str(state), "resume_vm": resume, **body})
        return self

    def snapshot(self, state, memory):
        self.api("PATCH", "/vm", {"state": "Paused"})
        self.api("PUT", "/snapshot/create", {"snapshot_path": str(state), "mem_file_path": str(memory)})
        self.api("PATCH", "/vm", {"state": "Resumed"})

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self, timeout=60):
        """What came after "ok"; RuntimeError for an error."""
        line = self.console.next(timeout)
        if line is None or not line.startswith("ok"):
            raise RuntimeError(f"the guest says {line!r}, status {self.process.poll()}")
        return line[3:]

    def do(self, line, timeout=60):
        self.tell(line)
        return self.answer(timeout)

    def dump(self, first, pages):
        path = self.folder / f"dump-{self.pid}"
        self.do(f"dump {first} {pages} {path}")
        content = path.read_bytes()
        path.unlink()
        return content

    def pss(self, size):
        """Bytes of guest memory, its part of shared pages counted, if it is one region of `size`."""
        total, inside = 0, False
        for line in open(f"/proc/{self.pid}/smaps"):
            words = line.split()
            if "-" in words[0] and len(words) >= 5:
                start, end = (int(x, 16) for x in words[0].split("-"))
                inside, part = words[1] == "rw-p" and end - start == size, 0
            elif words[0] == "Pss:":
                part = int(words[1]) << 10
            elif words[0] == "VmFlags:" and inside and "nr" in words:
                total += part
        return total

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Serve:
    """`spacer serve`, ready when the object is made."""

    def __init__(self, *arguments, environment=None):
        self.process = subprocess.Popen([spacerPath(), *map(str, arguments)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        self.out = Lines(self.process.stdout)
        self.log = Lines(self.process.stderr)
        self.place = self.out.next()
        if self.place is None:
            self.log.thread.join(10)
            raise RuntimeError(f"spacer serve ended: {self.log.all}")

    def stop(self, timeout=60):
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def kernel(path):
    """An image with one segment of 16 bytes at 1 MiB."""
    header = bytearray(0x100)
    header[0:7] = b"\x7fELF\x02\x01\x01"
    header[16], header[18], header[20] = 2, 62, 1
    header[32], header[52], header[54], header[56] = 64, 64, 56, 1
    header[64] = 1
    header[72:80] = (0x80).to_bytes(8, "little")
    header[88:96] = (0x100000).to_bytes(8, "little")
    header[96:104] = (16).to_bytes(8, "little")
    header[104:112] = (16).to_bytes(8, "little")
    header[0x80:0x90] = b"kernel's content"
    pathlib.Path(path).write_bytes(header)
    return path


def needUffd():
    """Skip where a process may not make a userfaultfd for kernel faults."""
    import ctypes

    fd = os.open("/dev/userfaultfd", os.O_RDWR) if os.access("/dev/userfaultfd", os.R_OK | os.W_OK) else -1
    if fd < 0:
        fd = ctypes.CDLL(None, use_errno=True).syscall(323, 0)
    if fd < 0:
        raise Skip("userfaultfd is not allowed (vm.unprivileged_userfaultfd)")
    os.close(fd)
