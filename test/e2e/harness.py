"""What the end-to-end tests share: the tools, the test bed, counted checks, and a reader of atlases and images.

The reader trusts neither the linker nor `spacer`: an atlas is looked at with SQLite, an image by its own bytes. When
`spacer` is there, its own verdicts are asked for as well.
"""

import argparse
import json
import os
import pathlib
import shlex
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
sys.path.insert(0, str(root / "test" / "pairs"))

from image import Image  # noqa: E402

PAGE = 4096
LIBRARIES = ("lua", "sqlite3", "xml2", "expat", "z", "musl")
REGIONS = ("door", "text", "rodata", "got", "data", "bss")


class Skip(Exception):
    """A kernel feature or a tool is missing; the text names it."""


class Refused(Exception):
    """The linker refused; the text is what it said."""


class Checks:
    """Counts and prints; finish() gives the exit status."""

    def __init__(self, verbose=True):
        self.passed = self.failed = self.skipped = 0
        self.verbose = verbose
        self.seen = set()

    def passes(self, name, note=""):
        self.passed += 1
        if self.verbose:
            print(f"pass {name}{': ' + note if note else ''}", flush=True)

    def fails(self, name, why):
        self.failed += 1
        print(f"FAIL {name}: {why}", flush=True)

    def skips(self, name, why):
        self.skipped += 1
        print(f"skip {name}: {why}", flush=True)

    def check(self, name, problem, note=""):
        """`problem`: what is wrong, or an empty value."""
        if problem:
            self.fails(name, problem)
        else:
            self.passes(name, note)
        return not problem

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        if self.failed:
            return 1
        return 77 if self.skipped and not self.passed else 0


class Tools:
    def __init__(self, bed=None):
        self.ld = self.find("LD_SPACER", "ld.spacer")
        if not self.ld:
            sys.exit("no linker build/bin/ld.spacer: build it, or say LD_SPACER=PATH")
        self.spacer = self.find("SPACER", "spacer")
        self.stock = shutil.which("ld.lld-19")
        self.bed = bed

    @staticmethod
    def find(variable, name):
        path = pathlib.Path(os.environ.get(variable) or root / "build" / "bin" / name)
        if path.is_file():
            return str(path.resolve())
        if os.environ.get(variable):
            sys.exit(f"{variable}={path}: no such file")
        return None

    def needStock(self):
        if not self.stock:
            raise Skip("ld.lld-19 is missing")
        return self.stock


def bedFolder(compiler="clang", sections="yes", opt="-O2", *more):
    """Builds that configuration of the test bed if it is not there; `more` are further arguments of build.sh."""
    r = subprocess.run([root / "test/bed/build.sh", f"--compiler={compiler}", f"--sections={sections}", f"--opt={opt}",
                        "--jobs=1", *more], stdout=subprocess.PIPE, text=True)
    if r.returncode:
        raise Skip("the test bed cannot be built: see test/bed/build.sh")
    return pathlib.Path(r.stdout.strip().splitlines()[-1])


def passFile():
    """The compiler pass beside the linker."""
    path = pathlib.Path(os.environ.get("SPACER_BUILD") or root / "build") / "lib/spacer/libSpacerPass.so"
    if not path.is_file():
        raise Skip(f"the compiler pass {path} is not built")
    return path.resolve()


def compileCommands(folder, version):
    """[(library, source, tree, command)] of the C files of the bed's libraries, as build.sh compiles them: `command` is
    argv, to be run in `tree`, without -c, -o and their files."""
    text = subprocess.run(["ninja", "-C", folder, "-t", "compdb", "compile"], check=True, stdout=subprocess.PIPE).stdout
    found, prefix = [], os.path.join(folder, version, "tmp") + os.sep
    for entry in json.loads(text):
        if not entry["output"].startswith(prefix):
            continue
        words = shlex.split(entry["command"])
        tree, argv, source = words[1], words[3:words.index("-c")], words[words.index("-c") + 1]
        if source.endswith(".c"):
            found.append((entry["output"][len(prefix):].split(os.sep)[0], source, tree, argv))
    return found


def apps():
    return sorted(p.stem for p in (root / "test/bed/apps").glob("*.c"))


def bedInput(app):
    path = root / "test/bed/apps" / (app + ".in")
    return path if path.exists() else pathlib.Path("/dev/null")


def linkArgv(ld, folder, app, out, *flags, linux=True):
    """The command that link.sh would run."""
    argv = [root / "test/bed/link.sh", f"--linker={ld}", f"--dir={folder}", f"--app={app}", "--print", "-o", out, "--",
            *flags]
    if linux:
        argv.insert(1, "--linux")
    text = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
    return shlex.split(text)


def errorLines(text):
    return [line for line in text.splitlines() if "error:" in line or "rror" in line.split(":", 2)[0]]


def execute(argv, **more):
    """(status, what it said)"""
    r = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", **more)
    return r.returncode, r.stdout


def link(argv, **more):
    status, text = execute(argv, **more)
    if status:
        raise Refused(f"status {status}: {text.strip().splitlines()[0] if text.strip() else 'it said nothing'}")


def runProgram(image, app, *arguments, timeout=120):
    """(status, output) of a static Linux program, in an empty folder."""
    with tempfile.TemporaryDirectory() as cwd, open(bedInput(app), "rb") as stdin:
        r = subprocess.run([str(pathlib.Path(image).resolve()), *map(str, arguments)], stdin=stdin,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, timeout=timeout)
    return r.returncode, r.stdout


def expectedOutput(tools, folder, app, work):
    """What stock lld's program of the same inputs prints."""
    out = pathlib.Path(work) / f"stock-{folder.parent.name}-{folder.name}-{app}"
    if not out.exists():
        link(linkArgv(tools.needStock(), folder, app, out))
    return runProgram(out, app)


# Atlases


def readOnly(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


TABLES = ("meta", "part", "library", "extent", "unit", "place", "slot", "page", "pack")


def dump(path):
    """[(table, row)] of everything in the atlas; nothing if no link committed to it."""
    path = pathlib.Path(path)
    if not path.exists() or path.stat().st_size == 0:
        return []
    db = sqlite3.connect(path)  # may write: a killed link may have left a journal to roll back
    try:
        if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return []
        schema = db.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        return [("schema", row) for row in schema] + [
            (table, row) for table in TABLES for row in db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
    finally:
        db.close()


def atlasProblem(path, tools=None):
    """What is wrong with the file, or None. A missing or empty file is an atlas to which nobody committed yet."""
    path = pathlib.Path(path)
    if not path.exists():
        return None
    db = sqlite3.connect(path)
    try:
        found = db.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            return f"SQLite's integrity check: {found[0][0]}"
        if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return None
        problem = rowProblem(db)
    except sqlite3.DatabaseError as e:
        return f"SQLite: {e}"
    finally:
        db.close()
    if problem:
        return problem
    if tools and tools.spacer:
        status, text = execute([tools.spacer, "atlas", "check", path])
        if status:
            return f"spacer atlas check: {text.strip().splitlines()[0] if text.strip() else status}"
    return None


def rowProblem(db):
    """Rows that contradict each other: what a half-written commit would leave."""
    parts = {(k, base): (base, base + size, after) for k, base, size, after in
             db.execute("SELECT region, base, bytes, next FROM part")}
    last = 0
    for begin, end, after in sorted(parts.values()):
        if begin < last or not begin <= after <= end:
            return f"the part at {begin:#x} to {end:#x}, given out to {after:#x}, follows one that ends at {last:#x}"
        last = end
    libraries = {i for i, in db.execute("SELECT id FROM library")}
    if libraries != set(range(len(libraries))):
        return "library ids have gaps"
    ends = {k: begin for k, (begin, _, _) in parts.items()}
    for base, region, size in db.execute("SELECT base, region, bytes FROM extent ORDER BY base"):
        part = max((k for k in parts if k[0] == region and k[1] <= base), default=None)
        if part is None or base != ends[part]:
            return f"the extent at {base:#x} is no neighbour of others in a part of {REGIONS[region]}"
        ends[part] = base + size
    for k, end in ends.items():
        if end != parts[k][2]:
            return f"a part of {REGIONS[k[0]]}: its extents end at {end:#x}, next is {parts[k][2]:#x}"

    def given(address, size):
        return any(begin <= address and address + size <= after for begin, _, after in parts.values())

    for table, size in (("unit", "bytes"), ("place", "capacity"), ("slot", "bytes"), ("page", "4096")):
        for address, length in db.execute(f"SELECT address, {size} FROM {table}"):
            if not given(address, length):
                return f"a {table} at {address:#x} lies in no extent"
    for table in ("unit", "place", "slot", "extent"):
        for number, in db.execute(f"SELECT DISTINCT library FROM {table}"):
            if number not in libraries:
                return f"a {table} belongs to library {number}, which is not there"
    # Every page of every extent but .bss has content: a commit is all or nothing.
    pages = {a for a, in db.execute("SELECT DISTINCT address FROM page")}
    for base, size in db.execute("SELECT base, bytes FROM extent WHERE region != 5"):
        for page in range(base, base + size, PAGE):
            if page not in pages:
                return f"the page at {page:#x} was given out but has no content"
    return None


def atlasPages(path):
    """address → all contents that page has had."""
    pages = {}
    db = readOnly(path)
    for address, content in db.execute("SELECT address, content FROM page"):
        pages.setdefault(address, set()).add(content)
    db.close()
    return pages


def atlasWindow(path):
    db = readOnly(path)
    meta = dict(db.execute("SELECT name, value FROM meta"))
    db.close()
    return meta["window_base"], meta["window_base"] + meta["window_bytes"]


# Images

PAGE_CLASSES = ("private", "zero", "text", "rodata", "data", "bss", "door", "got")


def manifest(image):
    """[(address, class, file offset)] of the image's pages; see runtime/include/spacer/Format.h."""
    for name, _, _, _, offset, size in image.sections:
        if name == ".spacer.manifest":
            data = image.data[offset:offset + size]
            break
    else:
        return []
    if data[:8] != b"SPACERMF":
        raise ValueError("the manifest has another magic")
    pagesOffset, = struct.unpack_from("<Q", data, 56)
    count, = struct.unpack_from("<I", data, 88)
    rows = []
    for i in range(count):
        address, at, _, kind, _ = struct.unpack_from("<QQ16sII", data, pagesOffset + 40 * i)
        rows.append((address, PAGE_CLASSES[kind], at))
    return rows


def pagesOf(image):
    """address → bytes of every whole or partial page that a loader would fill from the file."""
    pages = {}
    for kind, _, offset, address, fileSize, _ in image.segments():
        if kind != 1:
            continue
        data = image.data[offset:offset + fileSize]
        at = address
        while at < address + fileSize:
            base = at & -PAGE
            stop = min(base + PAGE, address + fileSize)
            page = bytearray(pages.get(base, bytes(PAGE)))
            page[at - base:stop - base] = data[at - address:stop - address]
            pages[base] = bytes(page)
            at = stop
    return pages


def imageProblem(path, atlas, tools=None, frozen=False):
    """Shared pages must be those of the atlas, byte for byte, and everything in the window must be a shared page."""
    image = Image(pathlib.Path(path))
    if image.complaint():
        return image.complaint()
    known, pages = atlasPages(atlas), pagesOf(image)
    begin, end = atlasWindow(atlas)
    rows = manifest(image)
    if not rows:
        return "no manifest"
    shared = 0
    for address, kind, _ in rows:
        inside = begin <= address < end
        if kind in ("private", "zero"):
            if inside and not frozen:
                return f"the page at {address:#x} is {kind}, though in the window"
            continue
        if not inside:
            return f"the page at {address:#x} is {kind}, though not in the window"
        if kind == "bss":
            continue
        shared += 1
        if pages.get(address) not in known.get(address, ()):
            return f"the {kind} page at {address:#x} is not in the atlas"
    for address in pages:
        if begin <= address < end and address not in {r[0] for r in rows}:
            return f"the page at {address:#x} is not in the manifest"
    if not shared:
        return "no shared page"
    if tools and tools.spacer:
        status, text = execute([tools.spacer, "verify", path, "--atlas", atlas])
        if status:
            return f"spacer verify: {text.strip().splitlines()[0] if text.strip() else status}"
    return None


# Command lines


def main(doc, body, arguments=()):
    """Parses, makes a scratch folder, runs body(options, tools, checks, work), exits."""
    lines = doc.strip().splitlines()
    parser = argparse.ArgumentParser(description=lines[0], epilog="\n".join(lines[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", help="a folder for scratch files, kept [a new one in memory, removed]")
    for names, settings in arguments:
        parser.add_argument(names, **settings)
    options = parser.parse_args()
    checks = Checks()
    scratch = None
    try:
        if options.work:
            work = pathlib.Path(options.work).resolve()
            work.mkdir(parents=True, exist_ok=True)
        else:
            memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
            scratch = tempfile.TemporaryDirectory(prefix="spacer-e2e-", dir=memory)
            work = pathlib.Path(scratch.name)
        body(options, Tools(), checks, work)
    except Skip as e:
        checks.skips(pathlib.Path(sys.argv[0]).stem, str(e))
    except KeyboardInterrupt:
        checks.fails("interrupted", "by the user")
    finally:
        if scratch:
            scratch.cleanup()
    sys.exit(checks.finish())
