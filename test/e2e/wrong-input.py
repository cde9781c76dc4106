#!/usr/bin/env python3
"""Wrong input gets one clear error, and atlas and output stay as they were.

Each case links with something wrong. The linker has to fail with exactly one line that says "error:", names the file at
fault and says what was found and expected; the atlas has to be the same bytes as before (or still absent), with no journal
beside it, and an output of an earlier link has to be untouched. Cases where going private with a warning, or just doing
it, would be right as well say so; there the program has to run.

--list prints the cases, --filter=RE chooses, --messages prints what the linker says. The case `locked` takes the 60
seconds that a link waits for another one; it runs beside the others. LD_SPACER names the linker."""

import os
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time

from harness import Skip, bedFolder, execute, link, linkArgv, main

OLD = b"the output of an earlier link\n"


class Case:
    """A folder with a good atlas and an old output, ready for something wrong."""

    def __init__(self, tools, bed, good, folder):
        self.tools, self.bed, self.folder = tools, bed, folder
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.atlas, self.out = folder / "fleet.atlas", folder / "image"
        shutil.copyfile(good, self.atlas)
        self.atlas.chmod(0o644)
        self.out.write_bytes(OLD)
        self.app = "hello"
        self.flags, self.prefix, self.inputs = [], [], None
        self.mayWork = False   # accepting the input, or keeping it private, is right as well
        self.seconds = 20      # an error must come in this time
        self.names = self.atlas.name  # the message must name this
        self.says = None       # and match this
        self.after = []        # undo, last first

    def argv(self):
        flags = [f"--spacer-atlas={self.atlas}", *self.flags]
        if self.inputs:
            return [*self.prefix, self.tools.ld, "-static", "--gc-sections", "-o", str(self.out),
                    *map(str, self.inputs), *flags]
        return [*self.prefix, *linkArgv(self.tools.ld, self.bed / "base", self.app, self.out, *flags)]

    def sql(self, *statements):
        db = sqlite3.connect(self.atlas)
        for s in statements:
            db.execute(s)
        db.commit()
        db.close()

    def compile(self, name, source, *flags):
        path = self.folder / (name + ".o")
        r = subprocess.run(["clang-19", "-O2", "-ffunction-sections", "-fdata-sections", "-xc", "-", "-c", "-o", path,
                            *flags], input=source, text=True)
        if r.returncode:
            raise Skip("clang-19 is missing or fails")
        return path

    def archive(self, path, *objects):
        path.parent.mkdir(exist_ok=True)
        subprocess.run(["llvm-ar-19", "rcsD", path, *objects], check=True)
        return path

    def program(self, library, *flags):
        """Inputs of a program without a C library: main calls one function of the library, status 42 is right."""
        start = self.compile("start", """int answer(int);
            void _start(void) { __asm__ volatile("syscall" :: "a"(60), "D"(answer(41))); __builtin_unreachable(); }""",
                             "-fno-stack-protector")
        self.inputs = [start, library]
        self.flags += flags

    def asRoot(self):
        if os.geteuid():
            raise Skip("only root can mount")

    def smallDisk(self, size, *files):
        """Moves the files to a disk of so many bytes, in a mount namespace of the link's own."""
        self.asRoot()
        disk = self.folder / "disk"
        disk.mkdir()
        script = f'mount -t tmpfs -o size={size} none "{disk}" && cp -a "{self.folder}"/onDisk/. "{disk}" && "$@"; ' \
                 f'status=$?; rm -rf "{self.folder}/left" && cp -a "{disk}" "{self.folder}/left"; exit $status'
        if subprocess.run(["unshare", "-m", "sh", "-c", f'mount -t tmpfs none "{disk}"'], capture_output=True).returncode:
            raise Skip("a mount namespace (unshare -m) is not allowed")
        (self.folder / "onDisk").mkdir()
        for f in files:
            if f.exists():
                shutil.move(f, self.folder / "onDisk" / f.name)
        self.prefix = ["unshare", "-m", "sh", "-c", script, "sh"]
        return disk


# The cases. Each docstring is the case's name; the body makes the input wrong.
cases = []


def case(f):
    cases.append(f)
    return f


@case
def missingInFrozenMode(c):
    """atlas missing in frozen mode"""
    c.atlas.unlink()
    c.flags = ["--spacer-mode=frozen"]
    c.says = "No such file"


@case
def truncated(c):
    """atlas cut short"""
    size = c.atlas.stat().st_size
    os.truncate(c.atlas, size // 2)
    c.says = f"{size // 2}.*{size}"


@case
def truncatedFrozen(c):
    """atlas cut short, frozen mode"""
    truncated(c)
    c.flags = ["--spacer-mode=frozen"]


@case
def headOnly(c):
    """atlas cut to 50 bytes"""
    os.truncate(c.atlas, 50)


@case
def bitRot(c):
    """atlas with a page of noise in the middle"""
    data = bytearray(c.atlas.read_bytes())
    for page in range(len(data) // 4096 // 4, len(data) // 4096, 2):
        data[page * 4096:page * 4096 + 64] = os.urandom(64)
    c.atlas.write_bytes(data)


@case
def empty(c):
    """atlas empty, frozen mode"""
    c.atlas.write_bytes(b"")
    c.flags = ["--spacer-mode=frozen"]
    c.says = "empty"


@case
def notSqlite(c):
    """atlas is not SQLite"""
    c.atlas.write_bytes(b"this is a text about maps\n" * 400)
    c.says = "not an SQLite file"


@case
def otherSqlite(c):
    """atlas is another program's SQLite file"""
    c.atlas.unlink()
    c.sql("CREATE TABLE bookmark(url TEXT)", "INSERT INTO bookmark VALUES('https://example.org')")
    c.says = "application id"


@case
def folder(c):
    """atlas is a folder"""
    c.atlas.unlink()
    c.atlas.mkdir()


@case
def noFolder(c):
    """atlas in a folder that does not exist"""
    c.atlas = c.folder / "nowhere" / "fleet.atlas"
    c.says = "No such file"


@case
def newerFormat(c):
    """atlas of a newer format"""
    c.sql("PRAGMA user_version = 7")
    c.says = "format 7.*expected 3|expected 3.*format 7"


@case
def otherTarget(c):
    """atlas of another target"""
    c.sql("UPDATE meta SET value = 183 WHERE name = 'machine'")
    c.says = "183.*62"


@case
def otherWindow(c):
    """another window than the atlas has"""
    c.flags = ["--spacer-window=0x2000000:64M"]
    c.says = "0x1000000.*0x2000000"


@case
def readOnlyFile(c):
    """atlas read-only (by mode)"""
    c.atlas.chmod(0o444)
    unprivileged(c)


def unprivileged(c):
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            raise Skip("setpriv is missing, and root may write everything")
        c.prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if c.folder.stat().st_mode & 0o200:
            os.chown(c.folder, 65534, 65534)
        if subprocess.run([*c.prefix, c.tools.ld, "--version"], capture_output=True).returncode:
            raise Skip("an unprivileged user cannot run the linker")


@case
def readOnlyFolder(c):
    """atlas's folder read-only (by mode)"""
    place = c.folder / "fleet"
    place.mkdir()
    c.atlas = shutil.move(c.atlas, place / "fleet.atlas")
    c.atlas.chmod(0o666)
    unprivileged(c)
    place.chmod(0o555)
    c.after.append(lambda: place.chmod(0o755))


@case
def newInReadOnlyFolder(c):
    """a new atlas in a read-only folder"""
    readOnlyFolder(c)
    c.atlas.unlink()


@case
def immutable(c):
    """atlas immutable (chattr +i)"""
    c.asRoot()
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", c.atlas], capture_output=True).returncode:
        raise Skip("chattr +i does not work on this file system")
    c.after.append(lambda: subprocess.run(["chattr", "-i", c.atlas]))


@case
def readOnlyMount(c):
    """atlas on a read-only file system"""
    c.asRoot()
    place = c.folder / "fleet"
    place.mkdir()
    c.atlas = shutil.move(c.atlas, place / "fleet.atlas")
    c.prefix = ["unshare", "-m", "sh", "-c",
                f'mount --bind "{place}" "{place}" && mount -o remount,bind,ro "{place}" && exec "$@"', "sh"]
    if subprocess.run([*c.prefix, "true"], capture_output=True).returncode:
        raise Skip("a mount namespace (unshare -m) is not allowed")


@case
def locked(c):
    """atlas locked by another process"""
    # In a process of its own: reading the atlas here would let go of locks held here.
    holder = subprocess.Popen([sys.executable, "-c", "import sqlite3, sys, time\n"
                               "sqlite3.connect(sys.argv[1], isolation_level=None).execute('BEGIN IMMEDIATE')\n"
                               "print('locked', flush=True)\ntime.sleep(200)", c.atlas], stdout=subprocess.PIPE)
    holder.stdout.readline()
    c.after.append(lambda: (holder.kill(), holder.wait()))
    c.seconds = 75
    c.says = "locked"


@case
def windowFull(c):
    """window full"""
    c.atlas.unlink()
    c.app = "sqlite"
    c.flags = ["--spacer-window=0x1000000:0x40000"]
    c.says = r"\d+.*\d+"


@case
def windowFullLater(c):
    """window full, at a later link"""
    c.atlas.unlink()
    flags = ["--spacer-window=0x1000000:0x90000"]
    link(linkArgv(c.tools.ld, c.bed / "base", "hello", c.folder / "other", f"--spacer-atlas={c.atlas}", *flags))
    c.app = "sqlite"
    c.says = r"\d+.*\d+"


@case
def windowTooSmall(c):
    """window smaller than the least one"""
    c.atlas.unlink()
    c.flags = ["--spacer-window=0x1000000:0x1000"]
    c.says = "0x1000"


@case
def windowUnaligned(c):
    """window not page-aligned"""
    c.atlas.unlink()
    c.flags = ["--spacer-window=0x1000800:16M"]
    c.says = "page-aligned"


@case
def windowInTheWay(c):
    """window in the way of the image's own sections"""
    c.atlas.unlink()
    c.flags = ["--spacer-window=0x200000:16M"]
    c.says = r"in the way of \.\w+"


@case
def twoClaim(c):
    """two archives claiming one library"""
    answer = c.compile("answer", "int more(int); int answer(int x) { return more(x) + 1; }")
    more = c.compile("more", "int more(int x) { return x * x / x; }")
    c.program(c.archive(c.folder / "a" / "libanswer.a", answer))
    c.inputs.append(c.archive(c.folder / "b" / "libanswer.a", more))
    c.names = "a/libanswer.a"
    c.says = "b/libanswer.a"


@case
def twoClaimObjects(c):
    """an archive and a rule claiming one library"""
    answer = c.compile("answer", "int more(int); int answer(int x) { return more(x) + 1; }")
    more = c.compile("more", "int more(int x) { return x * x / x; }")
    c.program(c.archive(c.folder / "a" / "libanswer.a", answer), "--spacer-lib=answer=*libmore.a")
    c.inputs.append(c.archive(c.folder / "b" / "libmore.a", more))
    c.names = "a/libanswer.a"
    c.says = "libmore.a"
    c.mayWork = True  # a rule that names several files is how one library is made of them


@case
def otherBase(c):
    """a delta against another base"""
    help = execute([c.tools.spacer, "--help"])[1] if c.tools.spacer else ""
    if "delta" not in help:
        raise Skip("there is no `spacer delta` yet")
    source = "int answer(int x) { return x + %d; } int extra(int x) { return x * %d; }"
    archives = {}
    for n in (1, 2, 3):
        o = c.compile(f"v{n}", source % (n, n + 7))
        archives[n] = c.archive(c.folder / f"v{n}" / "libanswer.a", o)
    delta = c.folder / "d.spacer.o"
    link([c.tools.spacer, "delta", archives[1], archives[2], "-o", delta])
    c.program(archives[3])
    c.inputs.append(delta)
    c.names = delta.name


ANSWER = "int more(int); int answer(int x) { return more(x) + 1; } int table[3] = {1, 2, 3}; " \
         "__attribute__((noinline)) int more(int x) { return x + table[0] - 1; }"


def relocations(data):
    """[(file offset of the entry, size of the section it changes)] of .rela.text.*"""
    shoff, = struct.unpack_from("<Q", data, 40)
    number, names = struct.unpack_from("<HH", data, 60)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + 64 * i) for i in range(number)]
    found = []
    for h in headers:
        target = headers[h[7]] if h[1] == 4 else None
        if target and target[2] & 4:  # executable
            found += [(at, target[5]) for at in range(h[4], h[4] + h[5], 24)]
    return found


def brokenObject(c, change, archived=True, source=ANSWER, *flags):
    path = c.compile("answer", source, *flags)
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    if archived:
        c.program(c.archive(c.folder / "libanswer.a", path))
        c.names = "answer"
    else:
        c.program(path, "--spacer-lib=answer=*answer.o")
        c.names = "answer.o"


@case
def cutObject(c):
    """an object cut short"""
    brokenObject(c, lambda data: data.__delitem__(slice(len(data) * 2 // 3, None)), archived=False)


@case
def cutHeader(c):
    """an object cut short after 100 bytes"""
    brokenObject(c, lambda data: data.__delitem__(slice(100, None)), archived=False)


@case
def cutArchive(c):
    """an archive cut short"""
    brokenObject(c, lambda data: None)
    archive = c.folder / "libanswer.a"
    os.truncate(archive, archive.stat().st_size * 2 // 3)
    c.names = "libanswer.a"


@case
def cutRelocations(c):
    """an object whose relocation section ends behind the file"""
    def change(data):
        shoff, = struct.unpack_from("<Q", data, 40)
        number, = struct.unpack_from("<H", data, 60)
        for i in range(number):
            if struct.unpack_from("<I", data, shoff + 64 * i + 4)[0] == 4:
                struct.pack_into("<Q", data, shoff + 64 * i + 24, len(data) - 8)
    brokenObject(c, change)


@case
def relocationOutside(c):
    """a relocation outside its section"""
    def change(data):
        at, size = relocations(data)[0]
        struct.pack_into("<Q", data, at, size + 4096)
    brokenObject(c, change)
    c.says = "0x"


@case
def relocationAtEnd(c):
    """a relocation that reaches over its section's end"""
    def change(data):
        at, size = relocations(data)[0]
        struct.pack_into("<Q", data, at, size - 2)
    brokenObject(c, change)


@case
def relocationSymbol(c):
    """a relocation with a symbol that is not there"""
    def change(data):
        at, _ = relocations(data)[0]
        info, = struct.unpack_from("<Q", data, at + 8)
        struct.pack_into("<Q", data, at + 8, info & 0xffffffff | 5000 << 32)
    brokenObject(c, change)


@case
def relocationKind(c):
    """a relocation of unknown kind"""
    def change(data):
        at, _ = relocations(data)[0]
        info, = struct.unpack_from("<Q", data, at + 8)
        struct.pack_into("<Q", data, at + 8, info >> 32 << 32 | 200)
    brokenObject(c, change)
    c.says = "200"


@case
def relocationValue(c):
    """a relocation whose value does not fit"""
    c.program(c.archive(c.folder / "libanswer.a", c.compile("answer", ANSWER)))
    find = c.compile("find", "extern char where[]; char *find(int i) { return where + i; }", "-fno-pic")
    where = c.compile("where", '__asm__(".globl where\\n.set where, 0x7654321076543210");')
    c.inputs += [where, "-u", "find", c.archive(c.folder / "libfind.a", find)]
    c.names = "libfind.a"
    c.says = "out of range"


@case
def largeModel(c):
    """a library of the large code model"""
    c.program(c.archive(c.folder / "libanswer.a", c.compile("answer", ANSWER, "-mcmodel=large", "-fno-pic")))
    c.mayWork = True


@case
def mediumModel(c):
    """a library of the medium code model"""
    source = ANSWER.replace("table[3]", "table[99999]")
    c.program(c.archive(c.folder / "libanswer.a", c.compile("answer", source, "-mcmodel=medium", "-fno-pic")))
    c.mayWork = True


@case
def kernelModel(c):
    """a library of the kernel code model, window below 2 GiB"""
    c.program(c.archive(c.folder / "libanswer.a", c.compile("answer", ANSWER, "-mcmodel=kernel", "-fno-pic")))
    c.mayWork = True


@case
def kernelModelBetween(c):
    """a library of the kernel code model, window at 3 GiB"""
    c.atlas.unlink()
    path = c.archive(c.folder / "libanswer.a", c.compile("answer", ANSWER.replace("table[0]", "table[x & 1]"),
                                                         "-mcmodel=kernel", "-fno-pic"))
    c.program(path, "--spacer-window=0xc0000000:64M", "--image-base=0xb0000000")
    c.names = "libanswer.a"


@case
def smallModelHigh(c):
    """a library of the small code model, window above 4 GiB"""
    c.atlas.unlink()
    path = c.archive(c.folder / "libanswer.a", c.compile("answer", ANSWER.replace("table[0]", "table[x & 1]"),
                                                         "-fno-pic"))
    c.program(path, "--spacer-window=0x200000000:64M", "--image-base=0x1f0000000")
    c.names = "libanswer.a"


@case
def farWindow(c):
    """window more than 2 GiB away from the image"""
    c.atlas.unlink()
    c.flags = ["--spacer-window=0x200000000:64M"]
    c.names = ""


@case
def diskFullOutput(c):
    """disk full while writing the image"""
    c.app = "lua"
    disk = c.smallDisk("100k", c.out)
    c.out = disk / c.out.name
    c.names = "image"


@case
def diskFullNewAtlas(c):
    """disk full while writing a new atlas"""
    c.app = "lua"
    c.atlas.unlink()
    disk = c.smallDisk("100k")
    c.atlas = disk / c.atlas.name
    c.says = "[Nn]o space"


@case
def diskFullAtlas(c):
    """disk full while adding to the atlas"""
    c.app = "lua"
    size = c.atlas.stat().st_size
    disk = c.smallDisk(size + 60_000, c.atlas)
    c.atlas = disk / c.atlas.name
    c.says = "[Nn]o space"


@case
def noOutputFolder(c):
    """output in a folder that does not exist"""
    c.app = "lua"
    c.out = c.folder / "nowhere" / "image"
    c.names = "nowhere/image"


@case
def undefinedSymbol(c):
    """an undefined symbol (as any error of lld's own)"""
    c.program(c.archive(c.folder / "libanswer.a", c.compile("answer", "int no_such(int); int answer(int x) "
                                                                      "{ return no_such(x) + 1; }")))
    c.names = "libanswer.a"
    c.says = "no_such"


@case
def refusedShared(c):
    """-shared"""
    c.program(c.archive(c.folder / "libanswer.a", c.compile("answer", ANSWER, "-fPIC")), "-shared")
    c.names = "-shared"


@case
def unknownFlag(c):
    """an unknown --spacer flag"""
    c.flags = ["--spacer-speed=11"]
    c.names = "--spacer-speed"


@case
def reportNowhere(c):
    """a report that cannot be written"""
    c.app = "lua"
    c.flags = [f"--spacer-report={c.folder}/nowhere/report.json"]
    c.names = "report.json"


def snapshot(c):
    """What may not change: atlas and output, their presence, and that nothing lies beside them."""
    def read(path):
        left = c.folder / "left" / path.name
        source = left if (c.folder / "left").exists() and "disk" in path.parts else path
        if "disk" in path.parts and not (c.folder / "left").exists():
            source = c.folder / "onDisk" / path.name
        return source.read_bytes() if source.is_file() else None

    def rest(path):
        where = path.parent
        if "disk" in path.parts:
            where = c.folder / ("left" if (c.folder / "left").exists() else "onDisk")
        return {p.name for p in where.iterdir() if "-journal" in p.name or ".tmp" in p.name} if where.is_dir() else set()

    return read(c.atlas), read(c.out), rest(c.atlas) | rest(c.out)


def judge(c, status, text, before, after):
    errors = [line for line in text.splitlines() if "error:" in line]
    problems = []
    if status == 0:
        ends = execute([c.out])[0] if c.inputs else 42
        return ([] if c.mayWork and ends == 42 else
                ["status 0" + (f", and the program ends with {ends}, not 42" if ends != 42 else "")])
    if status < 0 or status > 128:
        name = signal.Signals(-status if status < 0 else status - 128).name
        problems.append(f"the linker ended by {name}")
    if len(errors) != 1:
        problems.append(f"{len(errors)} error lines")
    elif c.names not in text:
        problems.append(f"the message does not name {c.names}")
    elif c.says and not re.search(c.says, text):
        problems.append(f"the message does not say /{c.says}/")
    if before[0] != after[0]:
        problems.append("the atlas changed" if after[0] is not None and before[0] is not None else
                        "the atlas was created" if before[0] is None else "the atlas is gone")
    if before[1] != after[1]:
        problems.append("the old output is gone" if after[1] is None else "the output changed")
    if after[2] - before[2]:
        problems.append("left behind: " + ", ".join(sorted(after[2] - before[2])))
    return problems


def runCase(make, tools, bed, good, work, options, checks, printing):
    name = make.__doc__
    c = Case(tools, bed, good, work / make.__name__)
    try:
        make(c)
        before = snapshot(c)
        began = time.monotonic()
        try:
            status, text = execute(c.argv(), timeout=c.seconds)
        except subprocess.TimeoutExpired:
            status, text = None, ""
        took = time.monotonic() - began
        problems = [f"no answer after {c.seconds} s"] if status is None else judge(c, status, text, before, snapshot(c))
    except Skip as e:
        checks.skips(name, str(e))
        return
    finally:
        for undo in reversed(c.after):
            undo()
    with printing:
        first = next((line for line in text.splitlines() if "error:" in line), text.splitlines()[0] if text else "")
        message = first.replace(str(c.folder) + "/", "").strip()
        note = message if status else "accepted"
        if took > 2:
            note += f" (after {took:.0f} s)"
        checks.check(name, "; ".join(problems) + (f" — {note}" if problems else ""), note)
        if options.messages:
            print("    " + text.strip().replace("\n", "\n    "))


def body(options, tools, checks, work):
    chosen = [f for f in cases if re.search(options.filter, f.__doc__)]
    if options.list:
        for f in chosen:
            print(f.__doc__)
        return
    work.chmod(0o755)
    # Where an unprivileged user can read and run them, too.
    bed = work / "bed"
    for part in ("crt", "obj", "lib"):
        shutil.copytree(bedFolder() / "base" / part, bed / "base" / part)
    copied = pathlib.Path(shutil.copy(tools.ld, work / "ld.lld"))
    copied.chmod(0o755)
    tools.ld = str(copied)
    good = work / "good.atlas"
    link(linkArgv(tools.ld, bed / "base", "hello", work / "hello", f"--spacer-atlas={good}"))
    printing = threading.Lock()
    slow = [f for f in chosen if f is locked]
    threads = [threading.Thread(target=runCase, args=(f, tools, bed, good, work, options, checks, printing))
               for f in slow]
    for t in threads:
        t.start()
    for f in chosen:
        if f not in slow:
            runCase(f, tools, bed, good, work, options, checks, printing)
    for t in threads:
        t.join()


main(__doc__, body, [
    ("--filter", dict(default="", metavar="RE", help="cases whose name matches")),
    ("--list", dict(action="store_true", help="print the cases")),
    ("--messages", dict(action="store_true", help="print everything the linker says")),
])
