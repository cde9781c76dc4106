"""The libraries' own test programs: which sources, with which flags, and how each is run.

A program is compiled like its library, from the tree that the library is compiled from; sources are named relative to
that tree, or to test/programs where they begin with "own:". A run is one start of the program, in a folder of its own
that is filled by inputs.py. What it prints, how it ends and what it writes there must not depend on the pass.

libxml2 has the features of the test bed's configuration: no threads, network, iconv, compression, catalogues, modules.
Left out: testModule and testThreads, which need such a feature; runxmlconf, whose documents are the W3C's and in no
package; minigzip of zlib's base version, which the archive's tar file lacks.
"""

import dataclasses
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "bed"))

import libraries  # noqa: E402


@dataclasses.dataclass
class Run:
    name: str
    arguments: tuple = ()        # "@documents" stands for XML documents of the folder
    input: str = ""              # a file of the folder that is its standard input
    expect: str = ""             # text that the output must hold
    status: int = 0              # how it must end
    unikernel: bool = False      # bare metal has all that it needs: no directories, no processes, console and few files
    slow: bool = False           # not in the quick set
    addresses: bool = False      # it prints where data lies, which is left out of the comparison


@dataclasses.dataclass
class Program:
    name: str
    library: str                 # of test/bed/libraries.py
    sources: tuple
    flags: str = ""
    files: str = ""              # what its folder holds: a function of inputs.py
    runs: tuple = ()
    versions: tuple = ("base", "patched")
    mixed: bool = False          # also linked with libraries of two compilers


def flagsOf(library, tree):
    """Those of the library's first source; musl's own are of no use outside of it."""
    if library == "musl":
        return "-std=gnu11 -Wall -Wextra"
    return next(iter(libraries.LIBRARIES[library][1](tree)))[1]


XMLLINT = (
    Run("xmllint schema", ("--noout", "--schema", "own/schemas/order_0.xsd", "own/schemas/order_0.xml",
                           "own/schemas/order_1.xml"), status=3, expect="order_0.xml validates"),
    Run("xmllint relaxng", ("--noout", "--relaxng", "own/relaxng/book.rng", "own/relaxng/book_0.xml",
                            "own/relaxng/book_1.xml"), status=3, expect="book_0.xml validates"),
    Run("xmllint debug", ("--debug", "--xinclude", "own/XInclude/docs/main.xml"), expect="DOCUMENT"),
    Run("xmllint html", ("--html", "--xmlout", "--format", "own/HTML/soup.html"), expect="<html>"),
    Run("xmllint xpath", ("--xpath", "//item[price > 90]/name | //order[last()]", "orders.xml"), expect="<name>"),
    Run("xmllint shell", ("--shell", "orders.xml"), input="shell.txt", expect="orders/order"),
    Run("xmllint stream", ("--stream", "--pattern", "/orders/order/item", "orders.xml")),
    Run("xmllint sax", ("--sax", "own/dtd.xml"), expect="SAX.startElementNs(list"),
    Run("xmllint valid", ("--valid", "--c14n", "own/dtd.xml"), expect="1.2"),
    Run("xmllint broken", ("--recover", "own/errors/unclosed.xml"), expect="<b>"),
)

PROGRAMS = (
    Program("runtest", "xml2", ("runtest.c",), files="libxml2", mixed=True, runs=(
        Run("runtest", ("-v",), expect="no errors"),
    )),
    Program("testrecurse", "xml2", ("testrecurse.c",), files="libxml2", runs=(
        Run("testrecurse", expect="no errors", slow=True),
    )),
    Program("testchar", "xml2", ("testchar.c",), runs=(Run("testchar", expect="done"),)),
    Program("testdict", "xml2", ("testdict.c",), runs=(Run("testdict", expect="succeeded", unikernel=True),)),
    Program("testlimits", "xml2", ("testlimits.c",), runs=(Run("testlimits", expect="no errors", slow=True),)),
    Program("testapi", "xml2", ("testapi.c",), files="libxml2", runs=(Run("testapi", slow=True),)),
    Program("testRegexp", "xml2", ("testRegexp.c",), files="libxml2", runs=(
        Run("testRegexp", ("-i", "own/regexp/classes"), expect="bcd12: Ok"),
    )),
    Program("testAutomata", "xml2", ("testAutomata.c",), files="libxml2", runs=(
        Run("testAutomata", ("own/automata/loop",)),
    )),
    Program("xmllint", "xml2", ("xmllint.c",), files="libxml2", runs=XMLLINT),
    Program("runtests", "expat", tuple(f"expat/tests/{name}.c" for name in (
        "runtests", "chardata", "structdata", "minicheck", "memcheck")), mixed=True, runs=(
        Run("runtests", ("-v",), expect="Failed: 0", unikernel=True),
    )),
    Program("xmlwf", "expat", tuple(f"expat/xmlwf/{name}.c" for name in (
        "xmlwf", "xmlfile", "codepage", "unixfilemap")), flags="-DHAVE_UNISTD_H", files="libxml2", runs=(
        Run("xmlwf canonical", ("-n", "-k", "-d", "out", "@documents"), status=2, expect="not well-formed"),
        Run("xmlwf meta", ("-m", "-k", "-d", "out", "@documents"), status=2),
        Run("xmlwf chunks", ("-r", "-s", "-p", "-x", "-k", "@documents"), status=2),
    )),
    Program("zexample", "z", ("test/example.c",), runs=(
        Run("zexample", expect="inflate with dictionary: hello", unikernel=True),
    )),
    Program("infcover", "z", ("test/infcover.c",), runs=(Run("infcover", expect="high water", unikernel=True),)),
    Program("minigzip", "z", ("test/minigzip.c",), files="zlib", versions=("patched",), runs=(
        Run("minigzip", ("text",)),
        Run("minigzip -9", ("-9", "-c"), input="text"),
        Run("minigzip -d", ("-d", "packed.gz")),
    )),
    Program("sqlite", "sqlite3", ("amalgamation/shell.c",), flags="-Iamalgamation", files="sqlite", runs=(
        Run("sqlite script", ("work.db",), input="script.sql", status=1, expect="the end"),
        Run("sqlite memory", (":memory:",), input="memory.sql", status=1, expect="the end", unikernel=True),
    )),
    Program("lua", "lua", ("src/lua.c",), files="lua", runs=(
        Run("lua language", ("-", "a", "b"), input="language.lua", expect="the end", unikernel=True),
        Run("lua strings", ("-",), input="strings.lua", expect="the end", unikernel=True),
        Run("lua programs", ("programs.lua",), expect="the end"),
        Run("lua system", ("-W", "system.lua", "one", "two"), expect="the end"),
        Run("lua error", ("-e", "local function f() error('outer', 1) end f()"), status=1, expect="stack traceback"),
        Run("lua interactive", ("-i",), input="interactive.txt", status=3, expect="ababab"),
    )),
    Program("luac", "lua", ("src/luac.c",), files="lua", runs=(
        Run("luac listing", ("-l", "-l", "-o", "out.luac", "language.lua"), addresses=True, expect="RETURN"),
        Run("luac strip", ("-s", "-o", "out.luac", "strings.lua")),
    )),
    Program("musl-check", "musl", ("own:musl-check.c",), files="musl", runs=(
        Run("musl-check", expect="the end", unikernel=True),
        Run("musl-check files", ("files",), expect="the end"),
    )),
)
