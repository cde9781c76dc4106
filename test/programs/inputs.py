"""What the test programs read: one function for each kind of folder, called NAME(to, tree).

`to` is a new folder, `tree` the sources that the program's library is compiled from. Everything is the same at every
call. libxml2's documents are of three origins:

1. test/programs/xml: small ones of our own, one or two for each of runtest's sections;
2. what Debian's patches bring along, with their results;
3. upstream's own test/ and result/ folders, which Debian leaves out of its package. SPACER_LIBXML2_TESTS may name a
   folder that has them (of 2.9.14); then runtest compares with upstream's results, and with none of ours.

Without 3, the results are what runtest -u writes when linked by stock lld without the pass (makeResults).
"""

import os
import pathlib
import random
import shutil
import subprocess
import zlib as pythonZlib

import sqlscript
from recipes import here

OWN = pathlib.Path(here)
RESULT_FOLDERS = ("noent", "XPath/expr", "XPath/tests", "XPath/xptr")


def orders(count):
    """An XML document of some size."""
    pick = random.Random(4)
    words = "nail plank glue door hinge lamp rope tile".split()
    lines = ['<?xml version="1.0"?>', "<orders>"]
    for number in range(count):
        lines.append(f'  <order id="o{number}" day="2023-{pick.randrange(1, 13):02}-{pick.randrange(1, 29):02}">')
        for _ in range(pick.randrange(1, 5)):
            lines.append(f'    <item><name>{pick.choice(words)}</name><price>{pick.randrange(1, 10000) / 100}</price>'
                         f"<note>&lt;{pick.randrange(1000)}&gt; &#x{pick.randrange(0xa1, 0x17f):x};</note></item>")
        lines.append("  </order>")
    return "\n".join([*lines, "</orders>", ""])


def upstreamTests():
    folder = os.environ.get("SPACER_LIBXML2_TESTS")
    return pathlib.Path(folder) if folder else None


def libxml2(to, tree):
    if upstreamTests():
        for part in ("test", "result"):
            shutil.copytree(upstreamTests() / part, to / part)
        for mine in ("schemas/order_0.xsd", "schemas/order_0.xml", "schemas/order_1.xml", "relaxng/book.rng",
                     "relaxng/book_0.xml", "relaxng/book_1.xml", "XInclude/docs/main.xml", "XInclude/ents/part.xml",
                     "XInclude/ents/text.txt", "HTML/soup.html", "regexp/classes", "automata/loop", "dtd.xml",
                     "errors/unclosed.xml"):
            (to / "own" / mine).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(OWN / "xml" / mine, to / "own" / mine)
    else:
        shutil.copytree(OWN / "xml", to / "test")
        (to / "own").symlink_to("test")
        (to / "test/orders.xml").write_text(orders(30))
        for folder in [p.relative_to(to / "test") for p in (to / "test").rglob("*") if p.is_dir()]:
            (to / "result" / folder).mkdir(parents=True, exist_ok=True)
        for folder in RESULT_FOLDERS:
            (to / "result" / folder).mkdir(parents=True, exist_ok=True)
    for part in ("test", "result"):
        if (tree / part).is_dir():
            shutil.copytree(tree / part, to / part, dirs_exist_ok=True)
    (to / "orders.xml").write_text(orders(400))
    (to / "shell.txt").write_text(
        "ls\ncd orders/order[3]\npwd\ncat item[1]\ndir item[1]/name\nxpath count(//item)\ndu\n"
        "grep glue\nsetrootns\nwhereis //order[5]\nset <item><name>new</name></item>\ncat\nvalidate\nwrong\nbye\n")


def makeResults(runtest, folder):
    """result/ of libxml2's folder, by the program `runtest`, unless upstream's is there."""
    if not upstreamTests():
        subprocess.run([runtest, "-quiet", "-u"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)


def documents(folder):
    """Names of XML documents, good and bad."""
    return sorted(str(p.relative_to(folder)) for pattern in ("*.xml", "test/*.xml", "test/errors/*.xml",
                  "test/valid/*.xml", "test/namespaces/*.xml") for p in folder.glob(pattern))


def zlib(to, tree):
    pick = random.Random(1)
    words = [f"word{pick.randrange(4000)}" for _ in range(60000)]
    text = " ".join(words).encode() + pick.randbytes(100000)
    (to / "text").write_bytes(text)
    pack = pythonZlib.compressobj(6, wbits=31)
    (to / "packed.gz").write_bytes(pack.compress(text) + pack.flush())


def sqlite(to, tree):
    (to / "script.sql").write_text(sqlscript.script(1000, files=True))
    (to / "memory.sql").write_text(sqlscript.script(300, files=False))


def lua(to, tree):
    for script in (OWN / "lua").iterdir():
        shutil.copy(script, to)


def musl(to, tree):
    for name in ("a.txt", "b.txt", ".hidden", "c.dat"):
        (to / name).write_text(name)
    (to / "sub").mkdir()
    (to / "sub/d.txt").write_text("below")
