#!/usr/bin/env python3
"""Links random libraries in random orders, and looks whether anything came out wrong.

Where the pairs each make one claim, this makes none: every seed gives a library of two dozen functions in five versions,
a compiler with its options, and an order of links. For each trampoline mode all links share one atlas, and
  - each image prints what stock lld's image of the same objects prints;
  - linking a version again gives the same bytes, although the atlas has grown since;
  - no segment is writable and executable; no shared text page has two contents (door, none).
Versions differ in some of their functions, each function in its calls, tables, counters, strings, branches, constants.
A seed gives the same sources and the same choices on every machine. The images use glibc, which stays private.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import shlex
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
from build import COMPILERS, Failure, execute, firstLine  # noqa: E402
from check import difference  # noqa: E402
from image import Image  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TRAMPOLINES = ["auto", "door", "entry", "none"]
FUNCTIONS, VERSIONS, LINKS = 24, 5, 9

APP = r"""
#include <stdio.h>
typedef int Function(int);
int run(int);
Function *choose(int), *own;
int isChosen(int, Function *);
extern int state0;
int main(int count, char **arguments) {
  for (int i = 0; i < 9; ++i) {
    printf("%d ", run(i * 7 + count));
    own = choose(i);
    printf("%d %d %d\n", own(i), state0, isChosen(i, own) + 2 * (own == choose(i + 4)));
  }
  return 0;
}
"""


class Function:
    """A function by its number; `variant` chooses its body. It calls only functions of smaller numbers."""

    def __init__(self, seed, number, variant):
        self.number, self.rng = number, random.Random(f"{seed} {number} {variant}")
        self.linkage = "static " if number % 3 == 2 else ""

    def call(self):
        if self.number == 0:
            return "x"
        return f"f{self.rng.randrange(self.number)}(x ^ {self.rng.randrange(99)})"

    def declaration(self):
        return f"{self.linkage}int f{self.number}(int);\n"

    def definition(self):
        body = self.rng.choice([self.sum, self.table, self.counter, self.branches, self.string, self.pointer,
                                self.floating, self.array])()
        return f"{self.linkage}__attribute__((noinline)) int f{self.number}(int x) {{ {body} }}\n"

    def sum(self):
        return f"return {self.call()} + {self.rng.randrange(1000)};"

    def table(self):
        values = ", ".join(str(self.rng.randrange(999)) for _ in range(self.rng.randrange(3, 40)))
        return f"static const int values[] = {{{values}}}; return values[(unsigned)x % 3] + {self.call()};"

    def counter(self):
        return f"static int count; count += {self.rng.randrange(1, 9)}; return count + {self.call()};"

    def branches(self):
        state = f"state{self.number % 4}"
        cases = " ".join(f"case {c}: {state} += {self.rng.randrange(99)}; return {self.call()} * {self.rng.randrange(9)};"
                         for c in range(6))
        return f"switch ((unsigned)x % 7) {{ {cases} }} return {self.rng.randrange(9)};"

    def string(self):
        return f'const char *s = "text {self.rng.randrange(30)}"; return s[x & 3] + {self.call()};'

    def pointer(self):
        return f"Function *p = pointers[x & 3]; return (p == f0) + {self.call()};"

    def floating(self):
        return (f"double d = x * {self.rng.randrange(1, 99)}.25; state{self.number % 4} += (int)d; "
                f"return {self.call()} + (int)d;")

    def array(self):
        size = self.rng.choice([3, 50, 1500])
        return f"static int cells[{size}]; cells[x & 1] += {self.rng.randrange(1, 9)}; return cells[x & 1] + {self.call()};"


def librarySource(seed, variants):
    functions = [Function(seed, number, variant) for number, variant in enumerate(variants)]
    calls = " ".join(f"s = s * 31 + f{n}(x);" for n in range(FUNCTIONS))
    return "".join([
        f"typedef int Function(int);\nint state0 = {sum(variants)}, state1, state2 = {variants[1]}, state3;\n",
        *(f.declaration() for f in functions),
        "static Function *pointers[4] = {f0, f1, f2, f3};\n",
        *(f.definition() for f in functions),
        f"int run(int x) {{ int s = 0; {calls} return s; }}\n",
        "Function *choose(int i) { return pointers[i & 3]; }\n",
        "int isChosen(int i, Function *f) { return f == pointers[i & 3]; }\n"])


class Case:
    """Everything that a seed decides."""

    def __init__(self, seed, arguments, folder):
        self.seed, self.arguments, self.folder = seed, arguments, folder / str(seed)
        rng = random.Random(seed)
        self.versions = [[0] * FUNCTIONS]
        for _ in range(VERSIONS - 1):
            self.versions.append([rng.randrange(3) if rng.random() < 0.4 else 0 for _ in range(FUNCTIONS)])
        self.compiler = COMPILERS[rng.choice(sorted(COMPILERS))]
        self.optimise = rng.choice(["-O0", "-O1", "-O2", "-Os"])
        self.code = rng.choice(["-fno-pic", "-fPIE", "-fPIC"])
        self.form = rng.choice(["-static", "-static" if self.code == "-fno-pic" else "-static-pie"])
        self.collect = rng.choice([[], ["-Wl,--gc-sections"]])
        self.sections = rng.choice([[], ["-ffunction-sections", "-fdata-sections"]])
        self.order = [rng.randrange(VERSIONS) for _ in range(LINKS)]
        self.expected, self.commands = {}, []

    def describe(self):
        return " ".join([self.compiler, self.optimise, self.code, *self.sections, self.form, *self.collect])

    def run(self, argv, what):
        self.commands.append(shlex.join(map(str, argv)))
        status, output, errors = execute(argv)
        if status != 0:
            raise Failure(f"{what} ends with {status}: {firstLine(errors)}")
        return output

    def compile(self, name, text):
        source, out = self.folder / f"{name}.c", self.folder / f"{name}.o"
        source.write_text(text)
        self.run([self.compiler, "-c", "-w", "-fwrapv", self.optimise, self.code, *self.sections, source, "-o", out], name)
        return out

    def prepare(self):
        self.folder.mkdir(parents=True)
        self.app = self.compile("app", APP)
        for version in sorted(set(self.order)):
            (self.folder / f"v{version}").mkdir()
            member = self.compile(f"v{version}/lib", librarySource(self.seed, self.versions[version]))
            self.run(["ar", "rcsD", self.library(version), member], "ar")
            stock = self.link(self.arguments.stock_ld, version, self.folder / f"stock-v{version}", [])
            self.expected[version] = self.run([stock], stock.name)

    def library(self, version):
        return self.folder / f"v{version}/librandom.a"

    def link(self, linker, version, out, flags):
        self.run(["clang-19", f"--ld-path={linker}", self.form, *self.collect, *flags, self.app, self.library(version),
                  "-o", out], f"the link of {out.name}")
        return out

    def links(self, trampolines):
        flags = [f"-Wl,--spacer-atlas={self.folder / trampolines}.atlas,--spacer-trampolines={trampolines}",
                 "-Wl,--spacer-private=*libc.a"]
        first, texts = {}, {}
        for turn, version in enumerate(self.order):
            out = self.link(self.arguments.ld, version, self.folder / f"{trampolines}-{turn}-v{version}", flags)
            self.judge(out, version)
            image = Image(out)
            if first.setdefault(version, image.data) != image.data:
                raise Failure(f"{out.name}: linking v{version} again gives other bytes")
            if image.complaint():
                raise Failure(f"{out.name}: {image.complaint()}")
            if trampolines in ("door", "none"):
                for address, page in image.sharedPages(".spacer.text").items():
                    if texts.setdefault(address, page) != page:
                        raise Failure(f"{out.name}: the text page at {address:#x} differs from an earlier image's")
            if not self.arguments.keep:
                out.unlink()

    def judge(self, out, version):
        status, output, _ = execute([out], timeout=20)
        if status != 0 or output != self.expected[version]:
            raise Failure(f"{out.name}: " + difference(status, output, self.expected[version]))

    def check(self):
        """(passed, failed, skipped), of trampoline modes."""
        modes = self.arguments.trampolines.split(",")
        if not shutil.which(self.compiler):
            return 0, 0, len(modes)
        failed = 0
        try:
            self.prepare()
        except Failure as failure:
            self.report("before any mode", failure)
            return 0, len(modes), 0
        for mode in modes:
            try:
                self.links(mode)
            except Failure as failure:
                failed += 1
                self.report(mode, failure, f"--trampolines={mode}")
        if not failed and not self.arguments.keep:
            shutil.rmtree(self.folder)
        return len(modes) - failed, failed, 0

    def report(self, mode, failure, *flags):
        again = shlex.join([sys.argv[0], f"--ld={self.arguments.ld}", f"--seed={self.seed}", "--count=1", *flags, "--keep"])
        print(f"FAIL seed {self.seed} {mode} [{self.describe()}] {failure}; again: {again}", flush=True)
        (self.folder / "commands.sh").write_text("#!/bin/sh\n" + "\n".join(self.commands) + "\n")


def parseArguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ld", default=str(SOURCE / "build/bin/ld.spacer"), help="the linker under test [%(default)s]")
    p.add_argument("--stock-ld", default="ld.lld-19", help="the linker that is right [%(default)s]")
    p.add_argument("--seed", type=int, default=1, help="the first [%(default)s]")
    p.add_argument("--count", type=int, default=10, help="so many seeds [%(default)s]")
    p.add_argument("--trampolines", default=",".join(TRAMPOLINES), help="[%(default)s]")
    p.add_argument("--jobs", type=int, default=2, help="[%(default)s]")
    p.add_argument("--keep", action="store_true", help="keep sources and images of what passed, too")
    return p.parse_args()


def main():
    arguments = parseArguments()
    for name in ("ld", "stock_ld"):
        path = shutil.which(getattr(arguments, name))
        if not path:
            sys.exit(f"{sys.argv[0]}: {getattr(arguments, name)}: no such linker")
        setattr(arguments, name, os.path.abspath(path))
    wrong = set(arguments.trampolines.split(",")) - set(TRAMPOLINES)
    if wrong:
        sys.exit(f"{sys.argv[0]}: --trampolines takes {','.join(TRAMPOLINES)}, not {','.join(wrong)}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="spacer-random-"))
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        counts = list(pool.map(lambda seed: Case(seed, arguments, folder).check(), seeds))
    passed, failed, skipped = (sum(column) for column in zip(*counts, (0, 0, 0)))
    if failed or arguments.keep:
        print(f"sources and images are in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
