#!/usr/bin/env python3
"""The libraries' own test programs say the same with and without the compiler pass.

libxml2, expat, SQLite, Lua, zlib and, as the C library of all, musl; test/programs/recipes.py lists the programs. Each
is linked several ways, base version and patched version:

  stock    libraries without the pass, ld.lld-19: what is right
  pass     libraries with the pass, ld.lld-19: the pass alone
  shared   libraries with the pass, ld.spacer, one atlas for all programs and both versions
  mixed    some: the program's library by gcc-12 and musl with the pass, and the other way round; ld.spacer, an atlas

and run, as Linux programs and some as unikernels, from equal folders. Output, status and all files that a run writes
have to be those of stock. runtest of libxml2 gets its expected results from stock's program, or from upstream where
SPACER_LIBXML2_TESTS names a folder with upstream's test/ and result/.

--all adds what takes minutes: testapi, testlimits, more unikernels, and

  whole    the programs with the pass as well, ld.spacer, an atlas of its own
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from harness import Refused, Skip, atlasProblem, bedFolder, imageProblem, link, linkArgv, main, passFile, root

sys.path.insert(0, str(root / "test/programs"))

import build  # noqa: E402
import inputs  # noqa: E402
import libraries  # noqa: E402
from recipes import PROGRAMS  # noqa: E402

VERSIONS = ("base", "patched")


def digests(folder):
    """{name: content's digest} of the files below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


class Session:
    """One call of the script: the folders, the links and the results."""

    def __init__(self, options, tools, checks, work):
        self.options, self.tools, self.checks, self.work = options, tools, checks, work
        found = {"stock": bedFolder()}
        found["pass"] = found["stock"] if options.no_pass else bedFolder("clang", "yes", "-O2", f"--pass={passFile()}")
        if options.mixed:
            found["gcc"] = bedFolder("gcc")
        self.beds = {name: build.snapshot(bed, VERSIONS, work / "beds" / name) for name, bed in found.items()}
        self.src = found["stock"].parent / "src"
        self.programs = [p for p in PROGRAMS if self.runs(p)]
        self.builders = {"plain": build.Builder(found["stock"], self.src)}
        if options.all and not options.no_pass:
            copy = found["pass"] / "libSpacerPass.so"
            self.builders["whole"] = build.Builder(
                found["pass"], self.src, depends=[copy],
                flags=f"-fplugin={copy} -fplugin-arg-spacer-lib={{lib}}@{{version}}")
        for builder in self.builders.values():
            builder.build(self.programs, VERSIONS, options.jobs)
        self.views, self.templates, self.outcomes = {}, set(), {}

    def runs(self, program):
        wanted = self.options.only
        return [r for r in program.runs if (self.options.all or not r.slow) and
                (not wanted or any(w in (program.name, program.library, r.name) for w in wanted.split(",")))]

    # Links

    def view(self, name, version, bed, builder="plain", libraryBeds=None):
        key = name, version
        if key not in self.views:
            objects = {p.name: self.builders[builder].objects(p, version) for p in self.programs}
            self.views[key] = build.makeView(self.work / "views" / name / version, version, bed, objects,
                                             libraryBeds or {})
        return self.views[key]

    def link(self, program, version, variant, linux):
        """The image, or None after a failure was reported."""
        out = self.work / "images" / f"{program.name}.{version}.{variant}.{'linux' if linux else 'unikernel'}"
        out.parent.mkdir(exist_ok=True)
        builder = "whole" if variant == "whole" else "plain"
        bed, other = self.beds["stock" if variant == "stock" else "pass"], {}
        if variant == "gcc-library":
            other = {name: self.beds["gcc"] for name in libraries.LIBRARIES if name != "musl"}
        elif variant == "gcc-musl":
            other = {"musl": self.beds["gcc"]}
        spacer = variant not in ("stock", "pass")
        atlas = self.work / f"{'mixed' if other else variant}.atlas"
        flags = list(map(str, self.builders[builder].objects(program, version)[1:]))
        flags += [f"--spacer-atlas={atlas}"] if spacer else []
        flags += self.options.link_flags.split() if spacer else []
        view = self.view(variant, version, bed, builder, other)
        try:
            link(linkArgv(self.tools.ld if spacer else self.tools.needStock(), view, program.name, out, *flags,
                          linux=linux))
        except Refused as e:
            self.checks.fails(f"link {out.name}", e)
            return None
        if spacer:
            problem = imageProblem(out, atlas, self.tools)
            if problem:
                self.checks.fails(f"image {out.name}", problem)
        return out

    # Runs

    def template(self, program, version):
        """A folder with what the program reads; runs get copies."""
        folder = self.work / "files" / (f"{program.files}-{version}" if program.files else "none")
        if folder not in self.templates:
            folder.mkdir(parents=True)
            self.templates.add(folder)
            if program.files:
                tree = self.src / libraries.LIBRARIES[program.library][0] / version
                getattr(inputs, program.files)(folder, tree)
        return folder

    def copied(self, program, version):
        """A fresh copy of the template. Documents are many and only read, so they are hard links."""
        folder = self.work / "run"
        shutil.rmtree(folder, ignore_errors=True)
        copy = os.link if program.files == "libxml2" else shutil.copy2
        shutil.copytree(self.template(program, version), folder, copy_function=copy, symlinks=True)
        return folder

    def run(self, program, version, image, run):
        """(status, output, files written) of the Linux program."""
        folder = self.copied(program, version)
        arguments = []
        for word in run.arguments:
            arguments += inputs.documents(folder) if word == "@documents" else [word]
        (folder / "out").mkdir(exist_ok=True)
        before = digests(folder)
        # The same name for every image: argv[0] is printed by some.
        program_ = self.work / "bin" / program.name
        program_.parent.mkdir(exist_ok=True)
        program_.unlink(missing_ok=True)
        os.link(image, program_)
        with open(folder / run.input if run.input else "/dev/null", "rb") as stdin:
            try:
                r = subprocess.run([program_, *arguments], stdin=stdin, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, cwd=folder, timeout=self.options.timeout,
                                   env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"})
                status, text = r.returncode, r.stdout
            except subprocess.TimeoutExpired:
                return "timeout", b"", {}
        after = digests(folder)
        written = {name: content for name, content in after.items() if before.get(name) != content}
        return status, self.masked(text, run), written

    def boot(self, program, version, image, run):
        """(status, console, {}) of the unikernel."""
        argv = [root / "test/bed/boot.sh", image, f"--timeout={self.options.timeout}"]
        if run.input:
            argv.append(f"--input={self.template(program, version) / run.input}")
        if run.arguments:
            argv.append(f"--args={' '.join(run.arguments)}")
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return r.returncode, self.masked(r.stdout, run), {}

    @staticmethod
    def masked(text, run):
        return re.sub(rb"0x[0-9a-f]{5,}", b"ADDRESS", text) if run.addresses else text

    def outcome(self, program, version, image, run, linux):
        return (self.run if linux else self.boot)(program, version, image, run)

    def compare(self, program, version, variant, linux):
        runs = [r for r in self.runs(program) if linux or r.unikernel]
        image = self.link(program, version, variant, linux) if runs else None
        if not image:
            return
        if program.name == "runtest" and variant == "stock" and linux:
            inputs.makeResults(image, self.template(program, version))
        form = "linux" if linux else "unikernel"
        for run in runs:
            began = time.monotonic()
            found = self.outcome(program, version, image, run, linux)
            took = f"{time.monotonic() - began:.1f} s"
            name = f"{run.name} {version} {variant} {form}"
            key = run.name, version, linux
            if variant == "stock":
                self.outcomes[key] = found
                self.checks.check(name, self.suspicious(found, run), took)
            else:
                self.checks.check(name, self.difference(self.outcomes.get(key), found), took)
            if self.options.keep:
                (self.work / "output").mkdir(exist_ok=True)
                (self.work / "output" / name.replace(" ", ".")).write_bytes(found[1])
        image.unlink() if not self.options.keep else None

    @staticmethod
    def suspicious(found, run):
        """Even stock's result must be what the program is known to say, else equality would mean nothing."""
        status, text, _ = found
        if status != run.status:
            return f"stock: status {status}, expected {run.status}; it ends with {text[-160:]!r}"
        if run.expect and run.expect.encode() not in text:
            return f"stock: no '{run.expect}' in its output; it ends with {text[-160:]!r}"
        return None

    @staticmethod
    def difference(expected, found):
        if expected is None:
            return "no result of stock to compare with"
        if found[1] != expected[1]:
            old, new = (x[1].splitlines() for x in (expected, found))
            at = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
            line = [lines[at][:120] if at < len(lines) else b"(nothing)" for lines in (new, old)]
            return f"line {at + 1} is {line[0]!r}, expected {line[1]!r}"
        if found[0] != expected[0]:
            return f"status {found[0]}, expected {expected[0]}"
        for name in sorted({*expected[2], *found[2]}):
            if expected[2].get(name) != found[2].get(name):
                return f"the file {name} that it wrote is another"
        return None


def body(options, tools, checks, work):
    if not shutil.which("ninja"):
        raise Skip("ninja is missing")
    options.mixed = bool(shutil.which("gcc-12"))
    try:
        session = Session(options, tools, checks, work)
    except build.Failed as e:
        checks.fails("build", e)
        return
    qemu = shutil.which("qemu-system-x86_64")
    for program in session.programs:
        for version in VERSIONS:
            if version not in program.versions:
                continue
            variants = ["stock", "pass", "shared"]
            variants += ["gcc-library", "gcc-musl"] if program.mixed and options.mixed else []
            variants += ["whole"] if "whole" in session.builders else []
            for variant in variants:
                session.compare(program, version, variant, linux=True)
            if qemu and (version == "patched" or options.all):
                for variant in ("stock", "shared", *(variants[2:] if options.all else ())):
                    session.compare(program, version, variant, linux=False)
    if not qemu:
        checks.skips("unikernels", "qemu-system-x86_64 is missing")
    if not options.mixed:
        checks.skips("mixed", "gcc-12 is missing")
    for atlas in sorted(work.glob("*.atlas")):
        checks.check(f"atlas {atlas.stem}", atlasProblem(atlas, tools))


main(__doc__, body, [
    ("--all", dict(action="store_true", help="what takes minutes, too")),
    ("--only", dict(default="", metavar="NAME,...", help="programs, libraries or runs")),
    ("--no-pass", dict(action="store_true", help="libraries without the pass: what the linker alone does")),
    ("--link-flags", dict(default="", metavar="FLAGS", help="more flags for ld.spacer")),
    ("--keep", dict(action="store_true", help="keep images and outputs, with --work")),
    ("--jobs", dict(type=int, default=2, help="of ninja [2]")),
    ("--timeout", dict(type=int, default=120, help="seconds for a run [120]")),
])
