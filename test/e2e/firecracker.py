#!/usr/bin/env python3
"""Firecracker's two memory backends, by its stand-in in the manner of each release: what a restored guest sees is
compared with the memory file, page by page."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from standin import (HUGE, PAGE, RELEASES, Refused, Serve, Standin, kernel, needUffd, spacerPath,  # noqa: E402
                     standinPath)
from harness import Checks, Skip  # noqa: E402

MIB = 16
PAGES = (MIB << 20) // PAGE
checks = Checks()


def case(name):
    """Runs the test at once; its exceptions are its failure."""
    def run(test):
        try:
            checks.check(name, *([] if (got := test()) is None else [got]) or [None])
        except Skip as e:
            checks.skips(name, str(e))
        except (Exception, subprocess.TimeoutExpired) as e:  # a test must not end the others
            checks.fails(name, f"{type(e).__name__}: {e}")
        return test
    return run


def different(found, expected, what="memory"):
    """Which page is wrong, or None."""
    if found == expected:
        return None
    if len(found) != len(expected):
        return f"{what}: {len(found)} bytes, expected {len(expected)}"
    wrong = [p for p in range(len(found) // PAGE) if found[p * PAGE:(p + 1) * PAGE] != expected[p * PAGE:(p + 1) * PAGE]]
    return f"{what}: {len(wrong)} pages wrong, the first is {wrong[0]}"


def makeSnapshot(folder, name, huge=False, balloon=True, regions=1, mib=MIB):
    """(state, memory): half of the pages zero, some equal to others."""
    state, memory = folder / f"{name}.state", folder / f"{name}.memory"
    with Standin(folder, regions=regions) as vm:
        vm.boot(kernel(folder / "kernel"), mib, huge, balloon, arguments="console=ttyS0 test")
        pages = (mib << 20) // PAGE
        vm.do(f"fill {pages // 8} {pages // 4} 42")
        vm.do(f"fill {pages // 2 + 3} 100 7")
        if vm.do("args") != "console=ttyS0 test":
            raise RuntimeError("the command line is wrong")
        vm.snapshot(state, memory)
    if memory.read_bytes()[1 << 20:(1 << 20) + 16] != b"kernel's content":
        raise RuntimeError("the image was not loaded")
    return state, memory


def checkGuest(vm, content, pages=PAGES):
    """Reads everything, writes, gives back, reads again."""
    first = pages // 8 + 5
    # Written before it was ever read, read before all else, by the vCPU if there is one.
    vm.do(f"dirty {first} 3 200")
    expected = bytearray(content)
    for p in range(first, first + 3):
        expected[p * PAGE] = 200
    if problem := different(vm.dump(0, pages), bytes(expected)):
        return problem
    # Given back: zero, whatever the snapshot says.
    vm.do(f"remove {first - 2} 8")
    expected[(first - 2) * PAGE:(first + 6) * PAGE] = bytes(8 * PAGE)
    if problem := different(vm.dump(0, pages), bytes(expected), "after a removal"):
        return problem
    vm.do(f"fill {first} 1 9")
    vm.do(f"remove {first} 1")
    vm.do(f"storm 4 16 200 {pages // 2}")
    expected[pages // 2 * PAGE:(pages // 2 + 64) * PAGE] = bytes(64 * PAGE)
    # The storm leaves some pages alone: they hold what they held.
    found = vm.dump(0, pages)
    for p in range(pages // 2, pages // 2 + 64):
        if found[p * PAGE:(p + 1) * PAGE] == content[p * PAGE:(p + 1) * PAGE]:
            expected[p * PAGE:(p + 1) * PAGE] = content[p * PAGE:(p + 1) * PAGE]
    return different(found, bytes(expected), "after a storm")


def releases(folder):
    state, memory = makeSnapshot(folder, "plain")
    content = memory.read_bytes()
    state2, memory2 = makeSnapshot(folder, "regions", regions=3)
    content2 = memory2.read_bytes()
    with Serve("serve", f"--socket={folder}/uffd", memory) as serve, \
            Serve("serve", f"--socket={folder}/uffd2", memory2) as serve2:
        if not serve.log.wait("this backend copies"):
            checks.fails("says that it copies", serve.log.all)
        else:
            checks.passes("says that it copies")
        for release in RELEASES:
            @case(f"release {release}: content, writes, removals")
            def _():
                with Standin(folder, release) as vm:
                    vm.load(state, "Uffd", folder / "uffd")
                    return checkGuest(vm, content)

            @case(f"release {release}: three regions, a message in pieces")
            def _():
                with Standin(folder, release, pieces=7) as vm:
                    vm.load(state2, "Uffd", folder / "uffd2")
                    return different(vm.dump(0, PAGES // 3), content2[:PAGES // 3 * PAGE])

        @case("release 1.0 has no Uffd backend")
        def _():
            with Standin(folder, "1.0") as vm:
                try:
                    vm.api("PUT", "/snapshot/load", {"snapshot_path": str(state), "mem_backend": {
                        "backend_type": "Uffd", "backend_path": f"{folder}/uffd"}})
                except Refused:
                    return None
                return "it took one"

        @case("several at once, each with memory of its own")
        def _():
            problems = []

            def one(release, value):
                try:
                    with Standin(folder / f"many{value}", release) as vm:
                        vm.load(state, "Uffd", folder / "uffd")
                        vm.do(f"dirty 0 {PAGES} {value}")
                        expected = bytearray(content)
                        expected[::PAGE] = bytes([value]) * PAGES
                        problems.append(different(vm.dump(0, PAGES), bytes(expected), f"VM {value}"))
                except Exception as e:
                    problems.append(f"VM {value}: {e}")

            threads = []
            for i, release in enumerate(RELEASES):
                (folder / f"many{i + 1}").mkdir()
                threads.append(threading.Thread(target=one, args=(release, i + 1)))
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            return next(filter(None, problems), None)

        @case("a vCPU reads and writes lazy memory")
        def _():
            with Standin(folder) as vm:
                vm.load(state, "Uffd", folder / "uffd")
                first, count = PAGES // 8 - 4, 64
                found = vm.do(f"kvm read {first} {count} 0")
                if found == "none":
                    raise Skip("no /dev/kvm")
                words = [int.from_bytes(content[p * PAGE + at:p * PAGE + at + 4], "little")
                         for p in range(first, first + count) for at in (0, PAGE - 4)]
                if int(found) != sum(words) % (1 << 32):
                    return f"read: sum {found}, expected {sum(words) % (1 << 32)}"
                expected = bytearray(content)
                at = first + 200
                vm.do(f"kvm write {at} 32 77")
                for p in range(at, at + 32):
                    expected[p * PAGE:p * PAGE + 4] = (77).to_bytes(4, "little")
                return different(vm.dump(0, PAGES), bytes(expected))

        @case("a VM that is killed is noticed, the others go on")
        def _():
            with Standin(folder) as good:
                good.load(state, "Uffd", folder / "uffd")
                with Standin(folder) as bad:
                    bad.load(state, "Uffd", folder / "uffd")
                    bad.do("touch 0 100")
                    bad.tell("crash")
                    bad.process.wait()
                    if not serve.log.wait(f"process {bad.pid}: ended"):
                        return f"no line about it: {serve.log.all[-3:]}"
                return different(good.dump(0, PAGES), content)

        @case("what the file becomes changes nothing")
        def _():
            with open(memory, "r+b") as f:
                f.write(b"x" * PAGE * 100)
                f.truncate(PAGES // 2 * PAGE)
            try:
                with Standin(folder) as vm:
                    vm.load(state, "Uffd", folder / "uffd")
                    return different(vm.dump(0, PAGES), content)
            finally:
                memory.write_bytes(content)

        @case("a truncated snapshot is refused")
        def _():
            short = folder / "short"
            short.write_bytes(content[:-PAGE])
            with Serve("serve", f"--socket={folder}/short.sock", short) as other, Standin(folder) as vm:
                try:
                    vm.load(state, "Uffd", folder / "short.sock", resume=False)
                except Refused:
                    pass
                if not other.log.wait("end past the snapshot"):
                    return f"no line about it: {other.log.all[-3:]}"

        @case("SIGTERM brings what is missing first, and the VM goes on alone")
        def _():
            vms = []
            for release in ("1.5", "1.16"):
                vm = Standin(folder, release)
                vms.append(vm)
                vm.load(state, "Uffd", folder / "uffd")
                vm.do("touch 100 50")
                vm.do(f"remove {PAGES // 8} 4")
            try:
                status = serve.stop()
                if status or (folder / "uffd").exists():
                    return f"status {status}, socket there: {(folder / 'uffd').exists()}"
                expected = bytearray(content)
                expected[PAGES // 8 * PAGE:(PAGES // 8 + 4) * PAGE] = bytes(4 * PAGE)
                for vm in vms:
                    if problem := different(vm.dump(0, PAGES), bytes(expected)):
                        return problem
                    vm.do("storm 2 16 50 200")  # nobody reads its events any more
                    vm.do(f"fill {PAGES // 8} 2 3")
            finally:
                for vm in vms:
                    vm.kill()


def hugePages(folder):
    @case("pages of 2 MiB: content, writes, removals, two at once")
    def _():
        setting = pathlib.Path("/proc/sys/vm/nr_hugepages")
        try:
            before = int(setting.read_text())
            setting.write_text(str(before + 40))
        except OSError as e:
            raise Skip(f"{setting}: {e.strerror}")
        try:
            if int(setting.read_text()) < before + 40:
                raise Skip("the kernel has no 40 huge pages left")
            state, memory = makeSnapshot(folder, "huge", huge=True, regions=2)
            content = memory.read_bytes()
            with Serve("serve", f"--socket={folder}/huge.sock", memory):
                for release in ("1.7", "1.12", "1.16"):
                    with Standin(folder, release) as vm, Standin(folder, release) as other:
                        vm.load(state, "Uffd", folder / "huge.sock")
                        other.load(state, "Uffd", folder / "huge.sock")
                        vm.do("dirty 600 1 9")
                        expected = bytearray(content)
                        expected[600 * PAGE] = 9
                        half = PAGES // 2
                        found = vm.dump(0, half) + vm.dump(half, half)
                        if problem := different(found, bytes(expected), f"release {release}"):
                            return problem
                        vm.do(f"remove {HUGE // PAGE} {HUGE // PAGE}")
                        # To 1.10 the hole is mapped over by small pages, if at all.
                        expected[HUGE:2 * HUGE] = bytes(HUGE)
                        if problem := different(vm.dump(0, half), bytes(expected[:half * PAGE]), f"{release}, removed"):
                            return problem
                        if problem := different(other.dump(0, half), content[:half * PAGE], "the other"):
                            return problem
        finally:
            setting.write_text(str(before))


def fileBackend(folder):
    state, memory = makeSnapshot(folder, "file")
    content = memory.read_bytes()
    notZero = sum(content[p * PAGE:(p + 1) * PAGE] != bytes(PAGE) for p in range(PAGES)) * PAGE
    link = folder / "memory-link"
    with Serve("serve", "--file", f"--path={link}", memory) as serve:
        for release in ("1.0", *RELEASES):
            @case(f"release {release}: a file: content, writes, removals")
            def _():
                with Standin(folder, release) as vm:
                    vm.load(state, "File", link)
                    return checkGuest(vm, content)

        @case("the file cannot be written, not even by root")
        def _():
            for flags in (os.O_RDWR, os.O_WRONLY):
                try:
                    fd = os.open(link, flags)
                    os.pwrite(fd, b"x", 0)
                    return "it was"
                except PermissionError:
                    pass

        @case("five VMs: a file is shared, copies are not")
        def _():
            sums = {}
            with Serve("serve", f"--socket={folder}/five", memory):
                for backend, path in (("File", link), ("Uffd", folder / "five")):
                    vms = [Standin(folder) for _ in range(5)]
                    try:
                        for vm in vms:
                            vm.load(state, backend, path)
                            vm.do(f"touch 0 {PAGES}")
                        sums[backend] = sum(vm.pss(len(content)) for vm in vms) / notZero
                    finally:
                        for vm in vms:
                            vm.kill()
            print(f"     sum of Pss / pages that are not zero: File {sums['File']:.2f}, Uffd {sums['Uffd']:.2f}")
            # Zero pages of the file are memory of the memfd once they are read.
            if sums["File"] * notZero > 1.1 * len(content) or sums["Uffd"] < 4.5:
                return str(sums)

        @case("VMs keep the file when its server ends, the link goes")
        def _():
            with Standin(folder) as vm:
                vm.load(state, "File", link)
                if status := serve.stop():
                    return f"status {status}"
                if link.is_symlink():
                    return "the link is there"
                return different(vm.dump(0, PAGES), content)


def commands(folder):
    state, memory = makeSnapshot(folder, "commands")
    content = memory.read_bytes()

    @case("--once serves one VM and ends with it")
    def _():
        with Serve("serve", "--once", f"--socket={folder}/once", memory) as serve:
            with Standin(folder) as vm:
                vm.load(state, "Uffd", folder / "once")
                if problem := different(vm.dump(0, 100), content[:100 * PAGE]):
                    return problem
                if (folder / "once").exists():
                    return "it still listens"
            if serve.process.wait(20):
                return f"status {serve.process.returncode}: {serve.log.all[-1]}"

    @case("a command after --: its memory is KSM's, its status ours")
    def _():
        socket = folder / "child.sock"
        vm = Standin(folder, under=[spacerPath(), "serve", f"--socket={socket}", "--memory-merge", memory, "--"])
        try:
            vm.console.next()  # the socket's path
            vm.load(state, "Uffd", socket)
            if problem := different(vm.dump(0, 100), content[:100 * PAGE]):
                return problem
            child = int(vm.log.wait("serves 16 MiB").split("process ")[1].split(":")[0])
            stat = pathlib.Path(f"/proc/{child}/ksm_stat")
            text = stat.read_text() if stat.exists() else ""
            vm.tell("exit")
            if vm.process.wait(30) != 0 or socket.exists():
                return f"status {vm.process.returncode}"
            if "ksm_merge_any" in text and "ksm_merge_any: yes" not in text:
                return f"not merged: {text}"
            if pathlib.Path("/sys/kernel/mm/ksm/run").read_text().strip() != "1" and \
                    not vm.log.wait("KSM does not run", 1):
                return "no word that KSM does not run"
        finally:
            vm.kill()

    @case("a command that is killed: 128 + signal; SIGTERM goes to it")
    def _():
        for name, expected in (("sleep", 128 + signal.SIGTERM), ("false", 1), ("no-such-program", 127)):
            argv = [spacerPath(), "serve", f"--socket={folder}/c", memory, "--", name, "100"]
            process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            process.stdout.readline()
            if name == "sleep":
                time.sleep(0.3)
                process.terminate()
            if (status := process.wait(30)) != expected:
                return f"{name}: status {status}, expected {expected}"

    @case("wrong use is one line")
    def _():
        busy = Serve("serve", f"--socket={folder}/busy", memory)
        (folder / "plain-file").touch()
        table = [
            (["serve", memory], "expected --socket=PATH or --file"),
            (["serve", "--file", f"--socket={folder}/x", memory], "excludes"),
            (["serve", f"--socket={folder}/{'x' * 200}", memory], "expected 1 to 107"),
            (["serve", f"--socket={folder}/x", folder / "missing"], "No such file"),
            (["serve", f"--socket={folder}/x", folder], ""),
            (["serve", f"--socket={folder}/busy", memory], "another process listens there"),
            (["serve", f"--socket={folder}/plain-file", memory], "is no socket"),
            (["serve", f"--socket={folder}/x", "--mode=9", memory], "expected 0000 to 0777"),
            (["serve", f"--socket={folder}/x", "--memory-merge", memory], "is for a command after --"),
            ([f"--root={folder}/nothing", "serve", f"--socket={folder}/x", "no-object"], "nothing"),
            (["serve", "--file", f"--path={folder}/plain-file", memory], "File exists"),
        ]
        with busy:
            for argv, why in table:
                r = subprocess.run([spacerPath(), *map(str, argv)], capture_output=True, text=True, timeout=30)
                lines = [line for line in r.stderr.splitlines() if " info: " not in line]
                if r.returncode != 2 or len(lines) != 1 or why not in lines[0]:
                    return f"{argv[1:]}: status {r.returncode}, {lines}, expected '{why}'"

    @case("a dead server's socket is replaced, a mode is kept")
    def _():
        first = Serve("serve", f"--socket={folder}/stale", memory)
        first.process.kill()
        first.process.wait()
        with Serve("serve", f"--socket={folder}/stale", "--mode=0660", memory):
            mode = (folder / "stale").stat().st_mode & 0o777
            return None if mode == 0o660 else f"mode {mode:o}"


def poolObjects(folder):
    state, memory = makeSnapshot(folder, "pool")
    content = memory.read_bytes()
    root = folder / "root"

    def spacer(*argv):
        r = subprocess.run([spacerPath(), f"--root={root}", *map(str, argv)], capture_output=True, text=True, timeout=60)
        if r.returncode:
            raise RuntimeError(r.stderr.strip())

    @case("an object of the pool, by both backends, and of no other domain")
    def _():
        spacer("--domain=one", "pool", "add", "--kind=raw", "--name=web-ready", memory)
        for backend in ("Uffd", "File"):
            how = f"--socket={folder}/object" if backend == "Uffd" else "--file"
            with Serve(f"--root={root}", "--domain=one", "serve", how, "web-ready") as serve, Standin(folder) as vm:
                vm.load(state, backend, serve.place)
                if problem := different(vm.dump(0, PAGES), content, backend):
                    return problem
        try:
            with Serve(f"--root={root}", "serve", f"--socket={folder}/object", "web-ready"):
                return "domain default served it"
        except RuntimeError:
            pass

    @case("a page whose content does not have its digest never reaches a guest")
    def _():
        page = PAGES // 8 + 20
        where = root / "pool" / "one" / "pages"
        stored = where.read_bytes()
        at = stored.find(content[page * PAGE:(page + 1) * PAGE])
        if at < 0 or at % PAGE:
            return f"the page is not in {where}"
        with open(where, "r+b") as f:
            f.seek(at + 100)
            f.write(b"other bytes")
        with Serve(f"--root={root}", "--domain=one", "serve", f"--socket={folder}/object", "web-ready") as serve:
            with Standin(folder) as vm, Standin(folder) as other:
                vm.load(state, "Uffd", serve.place)
                other.load(state, "Uffd", serve.place)
                before = page - 3
                if problem := different(vm.dump(before, 3), content[before * PAGE:page * PAGE], "pages before"):
                    return problem
                vm.tell(f"dump {page} 1 {folder}/never")
                try:
                    status = vm.process.wait(5)
                except subprocess.TimeoutExpired:
                    status = None  # before Linux 6.6 it waits
                if status not in (None, -signal.SIGBUS):
                    return f"status {status}, {vm.console.all[-1:]}"
                after = page + 1
                if problem := different(other.dump(after, 500), content[after * PAGE:(after + 500) * PAGE], "the rest"):
                    return problem
        try:
            Serve(f"--root={root}", "--domain=one", "serve", "--file", "web-ready").__exit__()
            return "there is a file with it"
        except RuntimeError:
            pass


def vmCommands(folder):
    """run, snapshot, clone, ls, stop: the stand-in in Firecracker's place."""
    root = folder / "vms-root"
    root.mkdir()
    kernel(folder / "kernel")

    def spacer(*argv, **environment):
        r = subprocess.run([spacerPath(), f"--root={root}", *map(str, argv)], capture_output=True, text=True, timeout=60,
                           env={**os.environ, "SPACER_FIRECRACKER": standinPath(), **environment})
        if r.returncode:
            raise RuntimeError(f"{argv}: {r.stderr.strip()}")
        return r.stdout

    def tell(name, line):
        """One command to the VM's console; its answer."""
        log = root / "vms" / name / "console.log"
        before = len(log.read_text())
        with open(root / "vms" / name / "console.in", "w") as console:
            console.write(line + "\n")
        end = time.monotonic() + 30
        while not (text := log.read_text()[before:]).endswith("\n") and time.monotonic() < end:
            time.sleep(0.005)
        if not text.startswith("ok"):
            raise RuntimeError(f"{name}: {line}: {text!r}")

    def memory(name):
        tell(name, f"dump 0 {PAGES} {folder}/of-vm")
        return (folder / "of-vm").read_bytes()

    def process(name):
        return json.loads((root / "vms" / name / "process.json").read_text())["pid"]

    def files(name):
        return {line.split()[4] for line in open(f"/proc/{process(name)}/maps") if "memfd:spacer-ready" in line}

    @case("run, snapshot, clone: the clones of two commands share one file")
    def _():
        try:
            spacer("run", "--driver=firecracker", f"--memory={MIB}M", "--name=web", folder / "kernel")
        except RuntimeError as e:
            if "run" in str(e) and "unknown argument" in str(e):
                raise Skip("this spacer has no run")
            raise
        tell("web", "fill 700 900 3")
        expected = memory("web")
        spacer("snapshot", "create", "web", "ready")
        spacer("clone", "--count=3", "ready")
        spacer("clone", "--name=other", "ready")
        clones = ("ready-1", "ready-2", "ready-3", "other")
        used = [files(name) for name in clones]
        if any(len(u) != 1 or u != used[0] for u in used):
            return f"inodes {used}"
        for i, name in enumerate(clones):
            if problem := different(memory(name), expected, name):
                return problem
            tell(name, f"dirty {1000 + i} 1 {i}")
            if process(name) == process("web"):
                return "one process twice"
        return different(memory("web"), expected, "the first")

    @case("a clone by the Uffd backend, its handler gone with it")
    def _():
        spacer("clone", "--name=lazy", "ready", SPACER_FIRECRACKER_BACKEND="uffd")
        if files("lazy"):
            return "it maps the file"
        if problem := different(memory("lazy"), memory("web"), "lazy"):
            return problem
        handlers = [p for p in pathlib.Path("/proc").glob("[0-9]*/cmdline")
                    if f"{root}/vms/lazy/uffd.sock" in read(p)]
        if len(handlers) != 1:
            return f"{len(handlers)} handlers"
        spacer("stop", "lazy")
        end = time.monotonic() + 20
        while read(handlers[0]) and time.monotonic() < end:
            time.sleep(0.01)
        return read(handlers[0]) and "the handler is there"

    for vm in json.loads(spacer("--json", "ls")) if (root / "vms").exists() else []:
        name = vm["name"] if isinstance(vm, dict) else vm
        try:
            spacer("stop", name)
        except RuntimeError:
            pass


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def realOne():
    @case("the real firecracker: version and API")
    def _():
        program = shutil.which("firecracker")
        if not program:
            raise Skip("no firecracker on PATH")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "api"
            process = subprocess.Popen([program, "--api-sock", path, "--no-seccomp"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL)
            try:
                end = time.monotonic() + 20
                while not path.exists() and time.monotonic() < end:
                    time.sleep(0.01)
                vm = Standin.__new__(Standin)
                vm.socket = path
                answer = vm.api("GET", "/")
                return None if answer["state"] == "Not started" else str(answer)
            finally:
                process.kill()
                process.wait()


def main():
    try:
        needUffd()
        standinPath()
    except Skip as e:
        print(f"skip: {e}")
        return 77
    with tempfile.TemporaryDirectory(prefix="spacer-fc-") as name:
        folder = pathlib.Path(name)
        releases(folder)
        hugePages(folder)
        fileBackend(folder)
        commands(folder)
        poolObjects(folder)
        vmCommands(folder)
    realOne()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
