"""The settings a pair is checked under, and which combinations of them.

Seven axes multiply to 576 combinations a pair, which would take hours. Nearly every mistake of a linker shows under some
*two or three* settings together ("gcc, without one section per function, under entry slots"), so by default each pair
gets a covering array: some 20 combinations in which every couple of settings occurs, and every triple of those that the
linker itself sees. `--quick`: every setting once. The choice is deterministic but differs from pair to pair, so that all
pairs together see nearly everything. `--full` is the product.
"""

import hashlib
import itertools
import random

AXES = {
    "compilers": ["clang", "gcc"],
    "opts": ["-O0", "-O2", "-Os"],
    "trampolines": ["auto", "door", "entry", "none"],
    "gc": ["yes", "no"],
    "sections": ["yes", "no"],  # one section per function and object, or one .text a file
    "modes": ["nopic", "pie", "pic"],  # how code is compiled; every image is linked at fixed addresses
    "inputs": ["archive", "merged"],  # libpair.a, or one libpair.o made by `ld -r`
}
LINKER_AXES = {"trampolines", "gc", "sections", "inputs"}


def label(combination):
    c = combination
    return (f"{c['compilers']} {c['opts']} {c['modes']} {c['inputs']} trampolines={c['trampolines']} "
            f"gc={c['gc']} sections={c['sections']}")


def asFlags(combination):
    return " ".join(f"--{axis}={value}" for axis, value in combination.items())


def groupsToCover(names, amount):
    """Tuples of axes whose values must all occur together."""
    if amount == "quick":
        return [(i,) for i in range(len(names))]
    linker = [i for i, name in enumerate(names) if name in LINKER_AXES]
    return [*itertools.combinations(range(len(names)), 2), *itertools.combinations(linker, 3)]


def covering(axes, amount, seed):
    """Greedy: of some random combinations that contain an uncovered tuple, takes the one which covers most."""
    rng = random.Random(hashlib.sha256(seed.encode()).digest())
    names = list(axes)
    groups = groupsToCover(names, amount)
    missing = {(g, values) for g in groups for values in itertools.product(*(axes[names[i]] for i in g))}
    ordered = sorted(missing, key=lambda m: (-len(m[0]), m))
    chosen = []
    for group, values in ordered:
        if (group, values) not in missing:
            continue
        best, bestCovered = None, set()
        for _ in range(24):
            row = [rng.choice(axes[n]) for n in names]
            for i, value in zip(group, values):
                row[i] = value
            covered = {(g, tuple(row[i] for i in g)) for g in groups} & missing
            if len(covered) > len(bestCovered):
                best, bestCovered = row, covered
        missing -= bestCovered
        chosen.append(dict(zip(names, best)))
    return chosen


def combinations(axes, amount, seed):
    """`amount`: quick, normal, or full."""
    if amount == "full":
        return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
    return covering(axes, amount, seed)
