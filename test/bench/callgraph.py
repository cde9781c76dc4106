"""Call profiles of the bed's applications, for --call-graph-ordering-file. See callgrind-to-profile.py."""

import os
import re
import shutil
import subprocess

from measure import harness

INPUTS = {"lua": 2, "sqlite": 1, "xml": 1}


def callgrind(image, app, repeats, out, *options):
    """Runs under callgrind; returns the number of instructions."""
    if not shutil.which("valgrind"):
        raise harness.Skip("valgrind is missing")
    with open(harness.bedInput(app), "rb") as stdin:
        r = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *options, image, str(repeats)],
                           stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           cwd=os.path.dirname(out))
    found = re.search(r"Collected : (\d+)", r.stderr)
    if not found:
        raise harness.Skip(f"valgrind cannot run {app}: {r.stderr.strip().splitlines()[-1] if r.stderr else ''}")
    return int(found.group(1))


def edges(path):
    """{(caller, callee): calls} of a callgrind file. Names stand once, then by number: `fn=(12) luaV_execute`."""
    names, found, caller, callee = {}, {}, None, None

    def nameOf(text):
        number, _, name = text.partition(" ")
        if name:
            names[number] = name
        return names[number]

    with open(path) as lines:
        for line in lines:
            if line.startswith("fn="):
                caller = nameOf(line[3:].strip())
            elif line.startswith("cfn="):
                callee = nameOf(line[4:].strip())
            elif line.startswith("calls="):
                count = int(line[6:].split()[0])
                edge = tuple(name.split("'")[0] for name in (caller, callee))  # f'2 is a recursive f
                found[edge] = found.get(edge, 0) + count
    return found


def writeProfile(source, out):
    with open(out, "w") as file:
        for (caller, callee), count in sorted(edges(source).items(), key=lambda e: (-e[1], e[0])):
            if " " not in caller + callee and not caller.startswith("0x") and not callee.startswith("0x"):
                file.write(f"{caller} {callee} {count}\n")


def profileOf(tools, folder, app, work, repeats=None):
    """The profile of an application's own workload, from stock lld's program."""
    out = work / f"{app}.profile"
    if not out.exists():
        image = work / f"{app}-stock"
        harness.link(harness.linkArgv(tools.needStock(), folder, app, image))
        callgrind(image, app, repeats or INPUTS.get(app, 1), work / f"{app}.callgrind")
        writeProfile(work / f"{app}.callgrind", out)
    return out
