#!/usr/bin/env python3
"""Builds a small unikernel the way Unikraft's build system does, from our own sources beside this file.

    unikernel.py --out FILE [--cc CC] [--ld LINKER] [--app N] [--pie] [--lto] [--gc] [--flag NAME=FLAG]... [flags for the link]

Each library's files are compiled without position-independent code, joined with `ld -r`, and objcopy hides all but what the
library exports. The final link goes through the compiler driver: the main script by -dT, one script for each table by -T.
Libraries are kept below --objects (FILE.d), keyed by how they were made, so that several images have the same files.
"""

import argparse
import fcntl
import hashlib
import pathlib
import shlex
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
EXPORTS = {
    "boot": ["boot_entry", "boot_start", "boot_put", "boot_number", "boot_note", "boot_hash", "bootinfo",
             "memcpy", "memset"],
    "numbers": ["numbers_check", "numbers_mix", "numbers_last"],
    "words": ["words_check", "words_length"],
    "store": ["store_check", "store_slot", "store_common", "store_limit"],
    "files": ["files_check", "files_open"],
    "app": ["app_check"],
}
SOURCES = {"boot": ["boot.S", "start.c"]}
SCRIPTS = ["bootinfo", "early", "files", "params", "threads"]


def run(*argv):
    argv = [str(a) for a in argv]
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit(f"{shlex.join(argv)}\n{result.stdout}")
    if result.stdout:
        print(result.stdout, end="")


def linkerFlags(ld):
    """How a compiler driver is told to take that linker."""
    if ld in ("bfd", "lld"):
        return ["-fuse-ld=" + ld]
    path = pathlib.Path(ld).resolve()  # ld.spacer: the folder with its alias ld.lld
    return ["-fuse-ld=lld", f"-B{path.parent.parent / 'lib/spacer'}"]


def library(name, cc, flags, joiner, args, work):
    """The localised libNAME.o."""
    sources = [here / s for s in SOURCES.get(name, [name + ".c"])]
    texts = [s.read_bytes() for s in [*sources, here / "unikernel.h"]]
    key = hashlib.sha256(repr((name, cc, flags, joiner, args.objcopy, texts)).encode()).hexdigest()[:12]
    folder = work / key
    final = folder / f"lib{name}.o"
    if final.exists():
        return final
    folder.mkdir(parents=True, exist_ok=True)
    objects = []
    for source in sources:
        objects.append(folder / (source.name + ".o"))
        run(cc, *flags, "-c", source, "-o", objects[-1])
    joined = folder / f"lib{name}.ld.o"
    # With -flto this is where bitcode becomes code.
    run(cc, *joiner, *(flags if args.lto else []), "-nostdlib", "-r", *objects, "-o", joined)
    exports = folder / "exports"
    exports.write_text("".join(s + "\n" for s in EXPORTS[name]))
    run(args.objcopy, f"--keep-global-symbols={exports}", joined, folder / "part.o")
    (folder / "part.o").rename(final)
    return final


def main():
    p = argparse.ArgumentParser(allow_abbrev=False)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--cc", default="clang-19")
    p.add_argument("--ld", default="bfd", help="bfd, lld or the path of ld.spacer")
    p.add_argument("--joiner", help="linker for `ld -r`: bfd or lld")
    p.add_argument("--objcopy", default="objcopy")
    p.add_argument("--objects", type=pathlib.Path)
    p.add_argument("--app", default="1")
    p.add_argument("--opt", default="-O2")
    p.add_argument("--flag", action="append", default=[], help="NAME=FLAG: one more compiler flag for a library")
    p.add_argument("--all", action="append", default=[], help="one more compiler flag for all")
    p.add_argument("--libcc", action="append", default=[], help="NAME=CC: another compiler for a library")
    p.add_argument("--gc", action="store_true")
    p.add_argument("--pie", action="store_true")
    p.add_argument("--lto", action="store_true")
    p.add_argument("--sections", default="yes")
    args, rest = p.parse_known_args()

    base = [args.opt, "-ffreestanding", "-fno-stack-protector", "-mno-red-zone", "-fno-common",
            "-fno-asynchronous-unwind-tables"]
    base += ["-fPIE", "-DPIE"] if args.pie else ["-fno-PIC"]
    if args.sections == "yes":
        base += ["-ffunction-sections", "-fdata-sections"]
    if args.lto:
        base.append("-flto")
    base += args.all
    work = args.objects or pathlib.Path(str(args.out) + ".d")
    joiner = ["-fuse-ld=" + (args.joiner or "bfd")]
    if args.lto and "gcc" in args.cc:
        joiner.append("-flinker-output=nolto-rel")
    compilers = dict(text.split("=", 1) for text in args.libcc)
    parts = []
    work.mkdir(parents=True, exist_ok=True)
    lock = open(work / "lock", "w")  # until the end: tests run beside each other
    fcntl.flock(lock, fcntl.LOCK_EX)
    for name in EXPORTS:
        flags = base + [f.split("=", 1)[1] for f in args.flag if f.split("=", 1)[0] == name]
        if name == "app":
            flags.append(f"-DAPP={args.app}")
        parts.append(library(name, compilers.get(name, args.cc), flags, joiner, args, work))

    fcntl.flock(lock, fcntl.LOCK_UN)

    scripts = SCRIPTS + (["reloc"] if args.pie else [])
    command = [args.cc, *linkerFlags(args.ld), "-nostdlib", "-static-pie" if args.pie else "-no-pie",
               "-Wl,--build-id=none", "-Wl,-m,elf_x86_64", "-Wl,--entry=boot_entry", "-Wl,-z,max-page-size=4096"]
    if args.pie:
        command += ["-Wl,--no-dynamic-linker", "-z", "notext", "-z", "norelro"]
    command += parts
    if args.gc:
        command.append("-Wl,--gc-sections")
    if args.lto:
        command += ["-flto", args.opt]
    if args.ld not in ("bfd", "lld") and any("--spacer-atlas" in r for r in rest):
        rest += [f"-Wl,--spacer-lib={n}=lib{n}.*" for n in EXPORTS if n not in ("app", "boot")]
    command += rest + [f"-Wl,-dT,{here}/main.lds", *(f"-Wl,-T,{here}/{s}.lds" for s in scripts), "-o", args.out]
    run(*command)


if __name__ == "__main__":
    main()
