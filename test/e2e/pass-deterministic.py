#!/usr/bin/env python3
"""The compiler pass makes equal objects of equal sources, wherever they lie and however the compiler is run.

Sources of the test bed's libraries are compiled with the pass, one after the other. Then again, and every object has to be
the same byte for byte:
  - in reverse order, and two at a time;
  - from a copy in another folder, as deep or deeper, with the pass and the object elsewhere too;
  - with another environment;
  - with a report.
Then Lua as bitcode: the same bitcode from another folder, and equal images and atlas rows, linked with --threads=1 and 2,
from copies of the bitcode, and twice on the same atlas.

LD_SPACER names the linker, SPACER_BUILD the folder with lib/spacer/libSpacerPass.so."""

import concurrent.futures
import os
import shutil
import subprocess

from harness import Refused, Skip, bedFolder, compileCommands, dump, link, linkArgv, main, passFile

# How many files of each library: those with line numbers, strings, tables and statics are among them.
SAMPLE = {"expat": 3, "lua": 8, "z": 5, "musl": 25, "xml2": 3}
SPARE = shutil.ignore_patterns("test", "result", "doc", "python", "tests", "contrib", "examples", "testdata", ".git")


def sampleOf(commands, counts):
    chosen = []
    for library, count in counts.items():
        every = sorted(c for c in commands if c[0] == library)
        chosen += [every[i * len(every) // count] for i in range(min(count, len(every)))]
    return chosen


def flagsOf(plugin, library, label, *more):
    return [f"-fplugin={plugin}", f"-fplugin-arg-spacer-lib={library}@{label}", *more]


def compileOne(argv, tree, source, out, **how):
    r = subprocess.run([*argv, "-c", source, "-o", out], cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, **how)
    if r.returncode:
        raise Refused(f"{source}: {r.stdout.strip().splitlines()[0] if r.stdout.strip() else r.returncode}")


def compileAll(sources, plugin, out, jobs=1, move=lambda text: text, report=False, flags=(), label="1.0", **how):
    """{library/source: object}; `move` changes paths of the command."""
    def one(entry):
        library, source, tree, argv = entry
        target = out / library / source.replace("/", "_").replace(".c", ".o")
        target.parent.mkdir(parents=True, exist_ok=True)
        more = [f"-fplugin-arg-spacer-report={target}.json"] if report else []
        compileOne([*map(move, argv), *flagsOf(plugin, library, label, *more), *flags], move(tree), source, target, **how)
        return f"{library}/{source}", target.read_bytes()

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return dict(pool.map(one, sources))


def difference(expected, found):
    wrong = [name for name in expected if expected[name] != found.get(name)]
    return f"{len(wrong)} of {len(expected)} objects differ, such as {wrong[0]}" if wrong else None


def copyTrees(sources, bed, to):
    """Copies of all trees and of the generated headers; returns what turns a text of the old paths into the new ones."""
    to.mkdir(parents=True)
    moves = {str(bed / "base" / "gen"): str(to / "gen")}
    for _, _, tree, _ in sources:
        if tree not in moves:
            moves[tree] = str(to / f"tree{len(moves)}")
    for old, new in moves.items():
        shutil.copytree(old, new, ignore=SPARE, symlinks=True)

    def move(text):
        for old, new in moves.items():
            text = text.replace(old, new)
        return text

    return move


def objects(checks, bed, plugin, work):
    commands = compileCommands(bed, "base")
    sources = sampleOf(commands, SAMPLE)
    first = compileAll(sources, plugin, work / "first")

    def compare(name, chosen, *arguments, **how):
        try:
            checks.check(name, difference(first, compileAll(chosen, *arguments, **how)), f"{len(first)} objects")
        except Refused as e:
            checks.fails(name, e)

    compare("in reverse order, two at a time", sources[::-1], plugin, work / "two", jobs=2)
    elsewhere = work / "another" / "folder" / "below"
    move = copyTrees(sources, bed, elsewhere)
    otherPlugin = elsewhere / plugin.name
    shutil.copy(plugin, otherPlugin)
    compare("sources, pass and objects in another folder", sources, otherPlugin, elsewhere / "out", move=move)
    compare("another environment", sources, plugin, work / "environment",
            env={"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "MALLOC_PERTURB_": "85",
                 "HOME": "/nonexistent"})
    compare("with a report", sources, plugin, work / "report", report=True)
    other = compileAll(sources[:3], plugin, work / "label", label="2.0")
    equal = [name for name in other if other[name] == first[name]]
    checks.check("another version's label shows", equal and f"{equal[0]} is the same, so the pass did nothing")
    return commands, move


def archive(files, out):
    out.unlink(missing_ok=True)
    subprocess.run(["llvm-ar-19", "qcsD", out, *files], check=True)


def image(tools, bed, library, place, *flags):
    """(image, atlas rows) of Lua's application with `library` in place of the bed's."""
    place.mkdir(exist_ok=True)
    argv = linkArgv(tools.ld, bed / "base", "lua", place / "lua", f"--spacer-atlas={place}/fleet.atlas", *flags)
    argv = [str(library) if a.endswith("/liblua.a") else a for a in argv]
    link(argv)
    return (place / "lua").read_bytes(), dump(place / "fleet.atlas")


def lto(checks, tools, bed, plugin, work, kind, commands, move):
    sources = [c for c in commands if c[0] == "lua"]
    flags = [f"-flto={kind}"]
    first = compileAll(sources, plugin, work / "bitcode", jobs=2, flags=flags)
    moved = compileAll(sources, plugin, work / "moved", jobs=2, move=move, flags=flags)
    checks.check(f"lto {kind}: bitcode from another folder", difference(first, moved), f"{len(first)} files")
    libraries = []
    for folder in ("bitcode", "moved"):
        libraries.append(work / folder / "liblua.a")
        archive(sorted((work / folder / "lua").glob("*.o")), libraries[-1])
    try:
        expected = image(tools, bed, libraries[0], work / "one", "--threads=1")
    except Refused as e:
        checks.fails(f"lto {kind}: link", e)
        return
    for name, library, place, more in (
            ("two threads", libraries[0], "two", ["--threads=2"]),
            ("two jobs of ThinLTO", libraries[0], "jobs", ["--threads=2", "--thinlto-jobs=2"]),
            ("bitcode elsewhere", libraries[1], "elsewhere", ["--threads=1"]),
            ("again on the same atlas", libraries[0], "one", ["--threads=2"])):
        try:
            found = image(tools, bed, library, work / place, *more)
            problem = None if found[0] == expected[0] else "the image differs"
            if not problem and found[1] != expected[1]:
                problem = "the atlas differs"
            checks.check(f"lto {kind}: {name}", problem, f"{len(found[0])} bytes, {len(found[1])} rows")
        except Refused as e:
            checks.fails(f"lto {kind}: {name}", e)


def body(options, tools, checks, work):
    for tool in ("clang-19", "llvm-ar-19", "ninja"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    plugin = passFile()
    bed = bedFolder()
    commands, move = objects(checks, bed, plugin, work)
    for kind in options.lto.split(",") if options.lto else ():
        (work / kind).mkdir()
        lto(checks, tools, bed, plugin, work / kind, kind, commands, move)


main(__doc__, body, [
    ("--lto", dict(default="full,thin", help="kinds of link-time optimisation to try; may be empty [full,thin]")),
])
