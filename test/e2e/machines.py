"""What the tests and benchmarks of VMs share: a root folder, `spacer` with it, and images that serve lines.

The images are linked with ld.spacer where it is there, else with lld: what is tested is the host, which takes any.
"""

import json
import os
import pathlib
import shutil
import subprocess
import time

from harness import PAGE, Skip, bedFolder, root

APPS = ("lua", "sqlite", "xml", "zlib")


def findSpacer():
    path = pathlib.Path(os.environ.get("SPACER") or root / "build/bin/spacer")
    if not path.is_file():
        raise Skip(f"{path} is missing")
    return path.resolve()


def images(work):
    """app → image of the application that serves lines."""
    for tool in ("qemu-system-x86_64",):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    folder = os.environ.get("SPACER_BED_DIR") or bedFolder() / "base"
    linker = pathlib.Path(os.environ.get("LD_SPACER") or root / "build/bin/ld.spacer")
    flags = [f"--spacer-atlas={work}/serve.atlas"]
    if not linker.is_file():
        linker, flags = shutil.which("ld.lld-19"), []
        if not linker:
            raise Skip("neither ld.spacer nor ld.lld-19 is there")
    result = {}
    for app in APPS:
        result[app] = work / f"{app}.elf"
        subprocess.run([root / "test/bed/link.sh", f"--linker={linker}", f"--dir={folder}", f"--app=serve-{app}", "-o",
                        result[app], "--", *flags], check=True)
    return result


class Refused(Exception):
    pass


class Host:
    """A root folder of its own, removed with all its VMs."""

    def __init__(self, work):
        self.root = pathlib.Path(work) / "root"
        self.spacer = findSpacer()
        self.environment = dict(os.environ, SPACER_ROOT=str(self.root), SPACER_RUN=str(self.root / "no-daemon"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        names = [vm["name"] for vm in self.vms()]
        if names:
            self.run("rm", "--force", *names, check=False)

    def popen(self, *words, **more):
        return subprocess.Popen([self.spacer, *map(str, words)], env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    def run(self, *words, input=None, check=True, timeout=120):
        """(status, output, errors)"""
        p = subprocess.run([self.spacer, *map(str, words)], env=self.environment, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=timeout,
                           **({"input": input} if input is not None else {"stdin": subprocess.DEVNULL}))
        if check and p.returncode:
            raise Refused(f"spacer {' '.join(map(str, words))}: status {p.returncode}: {p.stderr.strip()}")
        return p.returncode, p.stdout, p.stderr

    def json(self, *words):
        return json.loads(self.run("--json", *words)[1])

    def vms(self):
        return self.json("ls")

    def vm(self, name):
        return next((v for v in self.vms() if v["name"] == name), None)

    def log(self, name):
        return (self.root / "vms" / name / "console.log").read_text(errors="replace")

    def waitFor(self, name, text, count=1, seconds=60):
        """Until the console has `text` so often."""
        end = time.monotonic() + seconds
        while self.log(name).count(text) < count:
            if time.monotonic() > end:
                raise Refused(f"{name}: no {text!r} in {seconds} s, but {self.log(name)[-200:]!r}")
            time.sleep(0.02)

    def boot(self, name, image, memory="256M", *more):
        self.run("run", "--name", name, "--memory", memory, *more, image)
        self.waitFor(name, "ready")

    def ask(self, name, line):
        """What the guest answers to one line, without its next "ready"."""
        before = len(self.log(name))
        self.run("attach", "--idle", "0.05", name, input=line + "\n")
        end = time.monotonic() + 60
        while not self.log(name)[before:].endswith("ready\n"):
            if time.monotonic() > end:
                raise Refused(f"{name}: no answer to {line!r}, but {self.log(name)[before:][-200:]!r}")
            time.sleep(0.01)
        return self.log(name)[before:].removesuffix("ready\n").strip()


def processes():
    """VMMs and monitors that live: pid → command line."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            found[int(entry.name)] = " ".join(w.decode(errors="replace") for w in words)
    return found


def question(app, number):
    """A line that depends on the clone's number, and the right answer (None: it checks itself)."""
    if app == "lua":
        return f"#words * {number} + index['word 5']", str(20000 * number + 5155)
    if app == "sqlite":
        day = number % 365
        amounts = [i * 7919 % 1009 for i in range(1, 10001) if i % 365 == day]
        return f"SELECT count(*), sum(amount) FROM sale WHERE day = {day}", f"{len(amounts)}|{sum(amounts)}"
    if app == "xml":
        return f"/string(//entry[@id='{number}']/size)", str(number * 7919 % 1009)
    return f"line of clone {number}", None


def writingQuestion(app, number):
    """The same, of a kind that changes what the guest keeps."""
    line, expected = question(app, number)
    if app == "sqlite":
        count, total = map(int, expected.split("|"))
        return f"UPDATE sale SET amount = amount + {number} WHERE day = {number % 365}; {line}", \
            f"{count}|{total + count * number}"
    return line, expected


def isRight(answer, line, expected):
    if expected is None:
        return answer.endswith("same") and answer.startswith(str(20000 + len(line)))
    return answer == expected
