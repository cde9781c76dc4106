"""From a pair's sources to linked images: pairs on disk, compilers, archives, link lines.

Objects are kept in a work folder under the hash of everything that decides them, so that a second run compiles nothing.
Links call the linker itself; no compiler driver stands in the inner loop.
"""

import functools
import hashlib
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE / "support"
SUFFIXES = (".c", ".cc", ".s", ".S")

COMPILERS = {"clang": "clang-19", "gcc": "gcc-12"}
BASE = ["-c", "-w", "-fno-stack-protector", "-fcf-protection=none"]
FREESTANDING = {
    ".c": ["-ffreestanding"],
    ".cc": ["-fno-builtin", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],  # main keeps its name
}
MODES = {"nopic": ["-fno-pic"], "pie": ["-fPIE"], "pic": ["-fPIC"]}
SECTIONS = {"yes": ["-ffunction-sections", "-fdata-sections"], "no": []}


class Failure(Exception):
    """One line that says what went wrong."""


class Pair:
    """A folder: lib_v1/, lib_v2/, … (lib/ is part of every version), other/ (a second library), app*.c: programs.

    pair.json, if present, may say:
      libc         link with glibc and, for C++, libstdc++      cflags, ldflags    added to every compilation, every link
      app_ldflags  {"app2": [...]}                               whole              take every member of the archive
      same_output  the versions need not print different things identical         every version gives the same image
      orders       version numbers, in the order of their links  restrict           {"inputs": ["archive"]}: these only
    """

    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        config = folder / "pair.json"
        self.options = json.loads(config.read_text()) if config.exists() else {}
        self.apps = sorted(p for p in folder.glob("app*.c*"))
        self.versions = sorted(int(p.name[5:]) for p in folder.glob("lib_v*"))
        self.orders = self.options.get("orders") or [self.versions, self.versions[::-1]]

    def __getattr__(self, name):
        return self.options.get(name)

    def claim(self):
        text = self.apps[0].read_text()
        return " ".join(text[text.index("/*") + 2:text.index("*/")].split())

    def library(self, version):
        files = {}
        for folder in (self.folder / "lib", self.folder / f"lib_v{version}"):
            if folder.is_dir():
                files.update({p.name: p for p in folder.iterdir() if p.suffix in SUFFIXES})
        return [files[name] for name in sorted(files)]

    def other(self):
        folder = self.folder / "other"
        return sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES) if folder.is_dir() else []

    def axes(self, axes):
        allowed = self.restrict or {}
        return {axis: [v for v in values if v in allowed.get(axis, values)] for axis, values in axes.items()}


def loadPairs(pattern):
    folders = sorted(p for p in HERE.iterdir() if any(p.glob("app*.c*")))
    return [Pair(p) for p in folders if pattern.search(p.name)]


def execute(argv, cwd=None, timeout=120):
    """Exit status (minus the signal when killed), output, error output."""
    try:
        done = subprocess.run([str(a) for a in argv], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, close_fds=False)
    except subprocess.TimeoutExpired:
        return "timeout", b"", b""
    return done.returncode, done.stdout, done.stderr


def firstLine(text):
    lines = [l for l in text.decode(errors="replace").splitlines() if l.strip()]
    return (lines or ["(no message)"])[0][:300]


@functools.lru_cache(None)
def libcFile(name):
    return subprocess.run(["gcc-12", f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()


@functools.lru_cache(None)
def read(path):
    return path.read_bytes()


class Objects:
    """Compiled files, merged objects and archives, in a folder, by content."""

    def __init__(self, folder, stockLd):
        self.folder, self.stockLd = folder, stockLd
        folder.mkdir(parents=True, exist_ok=True)
        self.locks, self.guard = {}, threading.Lock()

    def once(self, key, suffix, make):
        """Runs make(path) unless the file of that key is there; a killed run leaves no half-written file."""
        path = self.folder / (hashlib.sha256("\0".join(map(str, key)).encode()).hexdigest()[:32] + suffix)
        with self.guard:
            lock = self.locks.setdefault(path, threading.Lock())
        with lock:
            if not path.exists():
                partial = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
                make(partial)
                partial.rename(path)
        return path

    def run(self, argv, cwd=None):
        status, _, errors = execute(argv, cwd)
        if status != 0:
            raise Failure(f"{' '.join(map(str, argv))}: {firstLine(errors)}")

    def compile(self, pair, source, combination, headers, optimise=None):
        """`headers`: the folders on the include path."""
        c = combination
        if source.suffix in (".s", ".S"):
            compiler, flags = COMPILERS["clang"], ["-c"]  # gas lacks some directives
        else:
            compiler = COMPILERS[c["compilers"]]
            flags = BASE + [optimise or c["opts"]] + MODES[c["modes"]] + SECTIONS[c["sections"]]
            flags += ["-DPAIR_LIBC"] if pair.libc else FREESTANDING[source.suffix]
            flags += pair.cflags or []
        flags = flags + [f"-I{h}" for h in headers]
        seen = [read(h).hex() for folder in headers if folder.is_dir() for h in sorted(folder.glob("*.[hi]*"))]
        return self.once([compiler, source.name, read(source).hex(), *flags, *seen], ".o",
                         lambda out: self.run([compiler, *flags, source.name, "-o", out], source.parent))

    def application(self, pair, app, version, c):
        headers = [SUPPORT, pair.folder / "lib", pair.folder / f"lib_v{version}"]
        objects = [self.compile(pair, app, c, headers)]
        if not pair.libc:
            objects.append(self.compile(pair, SUPPORT / "start.c", c, [SUPPORT], "-O1"))
        return objects

    def libraryObjects(self, pair, sources, version, c):
        headers = [SUPPORT, pair.folder / "lib", pair.folder / f"lib_v{version}"]
        return [(s.stem, self.compile(pair, s, c, headers)) for s in sources]

    def bundle(self, name, members, form, folder):
        """folder/libNAME.a or .o; members keep the names of their sources."""
        folder.mkdir(parents=True, exist_ok=True)
        suffix = ".o" if form == "merged" else ".a"
        make = self.merge if form == "merged" else self.archive
        built = self.once([form, *(f"{stem}={o.name}" for stem, o in members)], suffix, lambda out: make(out, members))
        out = folder / f"lib{name}{suffix}"
        os.link(built, out)
        return out

    def merge(self, out, members):
        self.run([self.stockLd, "-r", "-o", out, *(o for _, o in members)])

    def archive(self, out, members):
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            files = [pathlib.Path(folder) / f"{stem}.o" for stem, _ in members]
            for file, (_, built) in zip(files, members):
                os.link(built, file)
            self.run(["ar", "rcsD", out, *files])


def linkLine(pair, app, version, c, objects, libraries, out):
    """The stock link line; `libraries` may hold a delta object after its base."""
    flags = ["--threads=1", "-static", "-o", out] + (["--gc-sections"] if c["gc"] == "yes" else [])
    flags += [f.replace("%pair", str(pair.folder)) for f in pair.ldflags or []]
    flags += (pair.app_ldflags or {}).get(app.stem, [])
    inputs = [*objects, *(["--whole-archive", *libraries, "--no-whole-archive"] if pair.whole
                          else ["--start-group", *libraries, "--end-group"])]
    if not pair.libc:
        return flags + inputs
    crt = [libcFile(f) for f in ("crt1.o", "crti.o", "crtbeginT.o", "crtend.o", "crtn.o")]
    libc = ["libgcc.a", "libgcc_eh.a", "libc.a"] + (["libstdc++.a"] if app.suffix == ".cc" else [])
    return ["--eh-frame-hdr", *flags, *crt[:3], *inputs, "--start-group", *map(libcFile, libc), "--end-group", *crt[3:]]
