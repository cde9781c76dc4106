#!/usr/bin/env python3
"""Makes SRC/PACKAGE/edited of every library: its base version with 10 comment lines at the top of its largest C file.

usage: edit.py --src=$SPACER_CACHE/bed/src

Only __LINE__ and debug information can see such an edit. "Largest" is by bytes, among the sources that libraries.py
compiles. The tree is one of links into base: the folders above the edited file are real, all beside them is linked, so
relative names and __FILE__ are base's. A tree made from the same base by the same script is left alone; a new one takes
its place at once.
"""

import argparse
import fcntl
import hashlib
import os
import shutil

from libraries import LIBRARIES

LINES = "".join(f"/* Line {n} of 10 that the edited version begins with. */\n" for n in range(1, 11))


def largest(tree, sources):
    """The biggest .c file; of equal ones the first by name."""
    names = sorted(source for source, _ in sources(tree) if source.endswith(".c"))
    return max(names, key=lambda name: os.path.getsize(os.path.join(tree, name)))


def linkAllBut(base, to, kept):
    """Links everything of folder `base` into the new folder `to`, except the file `kept` (relative), which is left out."""
    os.mkdir(to)
    first, _, rest = kept.partition("/")
    for name in os.listdir(base):
        if name != first:
            os.symlink(os.path.relpath(os.path.join(base, name), to), os.path.join(to, name))
        elif rest:
            linkAllBut(os.path.join(base, name), os.path.join(to, name), rest)


def makeTree(folder, sources, stamp):
    base, edited = os.path.join(folder, "base"), os.path.join(folder, "edited")
    note = os.path.join(folder, "edited.stamp")
    if os.path.exists(note):
        with open(note) as file:
            if file.read() == stamp:
                return
        os.unlink(note)
    new = edited + ".new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(edited, ignore_errors=True)
    name = largest(base, sources)
    linkAllBut(base, new, name)
    # Bytes: some old sources are Latin-1.
    with open(os.path.join(base, name), "rb") as source, open(os.path.join(new, name), "wb") as target:
        target.write(LINES.encode() + source.read())
    os.rename(new, edited)
    with open(note, "w") as file:
        file.write(stamp)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--src", required=True)
    src = parser.parse_args().src
    recipe = hashlib.sha256()
    here = os.path.dirname(os.path.abspath(__file__))
    for name in ("edit.py", "libraries.py"):
        with open(os.path.join(here, name), "rb") as file:
            recipe.update(file.read())
    with open(os.path.join(src, ".edit-lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for package, sources in LIBRARIES.values():
            folder = os.path.join(src, package)
            with open(os.path.join(folder, "stamp")) as file:
                makeTree(folder, sources, f"{file.read()}{recipe.hexdigest()}\n")


main()
