#!/usr/bin/env python3
"""Writes OUT/build.ninja, which builds one configuration of the test bed.

usage: graph.py --out=DIR --src=DIR --compiler=clang|gcc --opt=-O2 --sections=yes|no
                --version=base|patched|edited... [--extra-cflags=FLAGS] [--pass-flags=FLAGS]
                [--lto=full|thin] [--depend=FILE...]

There are no dependency scans: fetched sources never change below their stamp, and the few
headers of our own are dependencies of everything that could include them.  Flags are part of the
command, so ninja rebuilds what they touch.  In the extra flags, {lib} and {version} stand for
the library (an application is its own) and the version's label, e.g. 2.9.14+dfsg.  The pass's
flags go to the libraries' C sources alone; there {object} is the object's path without ".o".
LTO is for libraries and applications, not for assembler, the runtime and crt1.
"""

import argparse
import glob
import os
import re
import shlex
import subprocess

from libraries import HEADERS, LIBRARIES, LIBXML2_WITHOUT, muslCrt

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILER = {"clang": "clang-19", "gcc": "gcc-12"}
BASE = (
    "-g0 -fno-pic -fno-pie -mno-red-zone -fno-stack-protector -fcf-protection=none"
    " -fno-unwind-tables -fno-asynchronous-unwind-tables"
)
BOOT = "-std=gnu11 -O2 -Wall -Wextra -ffreestanding -mgeneral-regs-only"
RULES = """ninja_required_version = 1.8
rule compile
  command = cd $tree && $cc $flags -c $source -o $out
  description = $what
rule archive
  command = rm -f $out && llvm-ar-19 qcsD $out @$out.list
  rspfile = $out.list
  rspfile_content = $in
  description = $what
"""


def arguments(words=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--src", required=True)
    parser.add_argument("--compiler", choices=COMPILER, required=True)
    parser.add_argument("--opt", required=True)
    parser.add_argument("--sections", choices=("yes", "no"), required=True)
    parser.add_argument("--version", action="append", required=True)
    parser.add_argument("--extra-cflags", default="")
    parser.add_argument("--pass-flags", default="")
    parser.add_argument("--lto", choices=("full", "thin"))
    parser.add_argument("--depend", action="append", default=[])
    return parser.parse_args(words)


def writeIfChanged(path, text):
    """Keeps the time of a file that would not change."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path) as old:
            if old.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w") as new:
        new.write(text)


def read(*parts):
    with open(os.path.join(*parts)) as file:
        return file.read()


def muslHeaders(tree, to):
    """musl's installed headers, and the two that its build generates."""
    script = os.path.join(tree, "tools/mkalltypes.sed")
    inputs = [os.path.join(tree, p) for p in ("arch/x86_64/bits/alltypes.h.in", "include/alltypes.h.in")]
    alltypes = subprocess.run(["sed", "-f", script, *inputs], check=True, capture_output=True, text=True)
    calls = read(tree, "arch/x86_64/bits/syscall.h.in")
    renamed = "".join(
        line.replace("__NR_", "SYS_", 1) for line in calls.splitlines(True) if "__NR_" in line
    )
    for root, into in (("include", ""), ("arch/generic/bits", "bits"), ("arch/x86_64/bits", "bits")):
        for name in glob.glob("**/*.h", root_dir=os.path.join(tree, root), recursive=True):
            writeIfChanged(os.path.join(to, "include", into, name), read(tree, root, name))
    writeIfChanged(os.path.join(to, "include/bits/alltypes.h"), alltypes.stdout)
    writeIfChanged(os.path.join(to, "include/bits/syscall.h"), calls + renamed)
    writeIfChanged(os.path.join(to, "internal/version.h"), f'#define VERSION "{read(tree, "VERSION").strip()}"\n')


def libxml2Header(tree, to):
    """xmlversion.h, as configure would write it."""
    configure = read(tree, "configure.ac")
    define = r"^m4_define\(\[%s_VERSION\], (\d+)\)"
    number = [int(re.search(define % part, configure, re.M)[1]) for part in ("MAJOR", "MINOR", "MICRO")]
    values = {
        "VERSION": ".".join(map(str, number)),
        "LIBXML_VERSION_NUMBER": str(number[0] * 10000 + number[1] * 100 + number[2]),
        "LIBXML_VERSION_EXTRA": "",
        "MODULE_EXTENSION": ".so",
    }

    def value(match):
        name = match.group(1)
        return values[name] if name in values else str(int(name.removeprefix("WITH_") not in LIBXML2_WITHOUT))

    text = re.sub(r"@(\w+)@", value, read(tree, "include/libxml/xmlversion.h.in"))
    writeIfChanged(os.path.join(to, "libxml2/libxml/xmlversion.h"), text)


def labelOf(src, package, version):
    """The version's name for tags. The edited version is base with 10 comment lines more (edit.py)."""
    labels = dict(line.split() for line in read(src, package, "label").splitlines())
    return labels["base"] + "+edited" if version == "edited" else labels[version]


# clang needs no more than -ffreestanding.
NO_LOOP_IDIOM = {"clang": "", "gcc": "-fno-tree-loop-distribute-patterns"}


class Graph:
    def __init__(self, options):
        self.options = options
        self.lines = [RULES]
        self.compiler = COMPILER[options.compiler]
        builtin = subprocess.run(
            [self.compiler, "-print-file-name=include"], check=True, capture_output=True, text=True
        ).stdout.strip()
        self.builtin = builtin
        split = ["-ffunction-sections", "-fdata-sections"]
        if options.sections == "no":
            split = ["-fno-function-sections", "-fno-data-sections"]
        self.common = f"{options.opt} {BASE} {' '.join(split)}"
        self.lto = f" -flto={options.lto}" if options.lto else ""

    def system(self, gen):
        """Where C sources find musl's headers and the compiler's, and nothing else."""
        return f"-nostdinc -isystem {gen}/include -isystem {self.builtin} -ffile-prefix-map={gen}=gen"

    def compile(self, out, tree, source, flags, what, depends):
        full = os.path.join(tree, source)
        self.lines += [
            f"build {out}: compile {full} | {' '.join(depends)}",
            f"  tree = {shlex.quote(tree)}",
            f"  cc = {self.compiler}",
            f"  source = {source}",
            "  flags = " + flags.replace("$", "$$"),
            f"  what = {what}",
        ]
        return out

    def version(self, version):
        """One version: headers now, the rest as build statements."""
        options = self.options
        out = os.path.join(options.out, version)
        gen = os.path.join(out, "gen")
        config = os.path.join(HERE, "config")
        trees = {package: os.path.join(options.src, package, version) for package, _ in LIBRARIES.values()}
        labels = {package: labelOf(options.src, package, version) for package in trees}
        muslHeaders(trees["musl"], gen)
        libxml2Header(trees["libxml2"], gen)
        system = self.system(gen)

        def extra(library, label, obj=None):
            text = options.extra_cflags
            if obj and options.pass_flags:
                text += " " + options.pass_flags.replace("{object}", obj.removesuffix(".o"))
            return text.replace("{lib}", library).replace("{version}", label)

        def add(source, flags, package, name, folder, depends):
            obj = os.path.join(out, folder, name, re.sub(r"\.[csS]$", ".o", source))
            flags = flags.format(gen=gen, config=config, noLoopIdiom=NO_LOOP_IDIOM[options.compiler])
            if package != "musl":
                flags = f"{system} {flags}"
            isC = source.endswith(".c")
            flags = f"{self.common} {flags} {extra(name, labels[package], obj if isC else None)}"
            if isC:
                flags += self.lto
            return self.compile(obj, trees[package], source, flags, f"{version}: {name}/{source}", depends)

        targets = []
        for name, (package, sources) in LIBRARIES.items():
            stamp = os.path.join(options.src, package, "stamp")
            depends = [stamp, *options.depend]
            objects = [add(s, f, package, name, "tmp", depends) for s, f in sources(trees[package])]
            archive = os.path.join(out, f"lib/lib{name}.a")
            self.lines += [f"build {archive}: archive {' '.join(objects)}", f"  what = {version}: lib{name}.a"]
            targets.append(archive)
        for source, flags in muslCrt(trees["musl"]):
            flags = f"{self.common} {flags.format(gen=gen, config=config)}"
            crt = os.path.join(out, "crt/crt1.o")
            targets.append(self.compile(crt, trees["musl"], source, flags, f"{version}: crt1.o", []))
        includes = " ".join(f"-I{trees[p]}/{folder}" for p, folder in HEADERS.items())
        apps = os.path.join(HERE, "apps")
        serve = os.path.join(HERE, "serve")
        headers = glob.glob(apps + "/*.h") + glob.glob(serve + "/*.h")
        sources = [(folder, s) for folder in (apps, serve) for s in sorted(glob.glob("*.c", root_dir=folder))]
        for folder, source in sources:
            name = source[:-2]
            flags = (f"{self.common} -std=gnu11 -Wall -Wextra {system} -I{gen}/libxml2 -I{config}/lua {includes}"
                     f" -ffile-prefix-map={options.src}=src {extra('app-' + name, version)}{self.lto}")
            obj = os.path.join(out, f"obj/app-{name}.o")
            targets.append(self.compile(obj, folder, source, flags, f"{version}: app {name}", headers + options.depend))
        targets += self.boot(version, out)
        self.lines.append(f"build {version}: phony {' '.join(targets)}")

    def boot(self, version, out):
        folder = os.path.join(HERE, "boot")
        headers = [folder + "/boot.h", HERE + "/apps/bed.h"]
        for source in sorted(glob.glob("*.[cS]", root_dir=folder)):
            name = "boot.o" if source == "boot.S" else f"boot-{source[:-2]}.o"
            flags = f"{BASE} {BOOT} {NO_LOOP_IDIOM[self.options.compiler]} -ffunction-sections -fdata-sections -nostdinc -isystem {self.builtin}"
            if self.options.compiler == "clang":
                flags += " -Wno-unused-command-line-argument"
            yield self.compile(os.path.join(out, "obj", name), folder, source, flags, f"{version}: {name}", headers)


def main():
    options = arguments()
    graph = Graph(options)
    for version in options.version:
        graph.version(version)
    graph.lines.append(f"default {' '.join(options.version)}")
    writeIfChanged(os.path.join(options.out, "build.ninja"), "\n".join(graph.lines) + "\n")


if __name__ == "__main__":
    main()
