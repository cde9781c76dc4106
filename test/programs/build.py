"""Builds the libraries' test programs, and gives them the shape that link.sh expects.

The test bed's build.sh makes libraries, headers and runtime of a configuration. What a program adds to that is a few
objects, compiled with the bed's own flags (graph.py) and those of its library (libraries.py):

1. a ninja graph in CONFIGURATION/programs, beside the versions that build.sh keeps, with objects
   VERSION/PROGRAM/SOURCE.o; ninja compiles again what has other flags, sources or compiler;
2. a *view*: a folder of links with crt/, lib/ and obj/ as link.sh wants them, whose archives may come from several
   configurations. obj/app-PROGRAM.o is the program's first object; link.sh gets the others as flags.

Cost: some twenty files of C, the shell of SQLite the largest; 20 seconds once, then 0.1.
"""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess

import recipes
from recipes import here

import graph
import libraries


class Failed(Exception):
    """The build failed; the text is what ninja said."""


class Builder:
    """`bed`: the configuration whose headers the programs see; `compiler` and `flags` go to every program."""

    def __init__(self, bed, src, compiler="clang", opt="-O2", flags="", depends=()):
        self.bed, self.src, self.flags = pathlib.Path(bed), pathlib.Path(src), flags
        self.depends = [str(d) for d in depends]
        self.out = self.bed / "programs"
        words = [f"--out={self.out}", f"--src={src}", f"--compiler={compiler}", f"--opt={opt}", "--sections=yes",
                 "--version=base"]
        self.graph = graph.Graph(graph.arguments(words))

    def tree(self, program, version):
        package = libraries.LIBRARIES[program.library][0]
        return self.src / package / version

    def objects(self, program, version):
        return [self.out / version / program.name / (re.sub(r"\.c$", "", source.split(":")[-1]) + ".o")
                for source in program.sources]

    def add(self, program, version):
        """Build statements for one program; returns its objects."""
        tree, gen = self.tree(program, version), self.bed / version / "gen"
        flags = recipes.flagsOf(program.library, str(tree)).format(
            gen=gen, config=os.path.join(graph.HERE, "config"), noLoopIdiom="")
        extra = self.flags.replace("{lib}", "app-" + program.name).replace("{version}", version)
        flags = f"{self.graph.common} {self.graph.system(gen)} {flags} {program.flags} -w {extra}"
        stamp = self.src / libraries.LIBRARIES[program.library][0] / "stamp"
        for source, out in zip(program.sources, self.objects(program, version)):
            own = source.startswith("own:")
            self.graph.compile(str(out), here if own else str(tree), source.split(":")[-1], flags,
                               f"{version}: {program.name}/{source}", [str(stamp), *self.depends])

    def build(self, programs, versions, jobs):
        for program in programs:
            for version in versions:
                if version in program.versions:
                    self.add(program, version)
        self.out.mkdir(parents=True, exist_ok=True)
        with open(self.out / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            graph.writeIfChanged(str(self.out / "build.ninja"), "\n".join(self.graph.lines) + "\n")
            r = subprocess.run(["ninja", "-C", self.out, "-j", str(jobs), "--quiet"], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if r.returncode:
            raise Failed(next((l for l in r.stdout.splitlines() if "error:" in l), r.stdout.strip()))


def snapshot(bed, versions, to):
    """Copies what links need of a configuration, so that another build of it in the meantime changes nothing here.
    Returns `to`, which looks like the configuration."""
    with open(pathlib.Path(bed) / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        for version in versions:
            for part in ("crt", "lib"):
                shutil.copytree(bed / version / part, to / version / part)
            (to / version / "obj").mkdir()
            for boot in (bed / version / "obj").glob("boot*.o"):
                shutil.copy(boot, to / version / "obj")
    return to


def makeView(to, version, bed, objects, libraryBeds):
    """A folder for link.sh: the runtime and libraries of configuration `bed`, but those named in `libraryBeds` (name
    of the archive → configuration). `objects`: program → its objects. Returns the folder."""
    (to / "lib").mkdir(parents=True)
    (to / "obj").mkdir()
    (to / "crt").symlink_to(bed / version / "crt")
    for name in libraries.LIBRARIES:
        (to / f"lib/lib{name}.a").symlink_to(libraryBeds.get(name, bed) / version / f"lib/lib{name}.a")
    for boot in (bed / version / "obj").glob("boot*.o"):
        (to / "obj" / boot.name).symlink_to(boot)
    for program, files in objects.items():
        (to / f"obj/app-{program}.o").symlink_to(files[0])
    return to
