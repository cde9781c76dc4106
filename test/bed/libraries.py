"""The libraries of the test bed: which sources, with which flags.

Each function takes the unpacked source tree and yields (source, extra flags); sources are named
relative to the tree, and compiled there, so that __FILE__ is the same everywhere.  {gen} stands
for the version's folder of generated headers, {config} for test/bed/config, {noLoopIdiom} for what keeps
the compiler from turning memcpy's loop into a call of memcpy.
"""

import glob
import os


def musl(tree):
    """What musl's Makefile picks for libc.a: generic C, unless x86_64 has its own file."""
    flags = (
        "-std=c99 -ffreestanding -nostdinc -D_XOPEN_SOURCE=700 -Iarch/x86_64 -Iarch/generic"
        " -I{gen}/internal -Isrc/include -Isrc/internal -I{gen}/include -Iinclude"
        " -fno-strict-aliasing -frounding-math -w"
    )
    chosen = {}
    for folder in glob.glob("src/*", root_dir=tree) + ["src/malloc/mallocng"]:
        for source in glob.glob(folder + "/*.c", root_dir=tree):
            chosen[source[:-2]] = source
    for folder in glob.glob("src/*", root_dir=tree):
        for source in glob.glob(folder + "/x86_64/*.[csS]", root_dir=tree):
            chosen[folder + "/" + os.path.basename(source)[:-2]] = source
    for source in sorted(chosen.values()):
        name = os.path.basename(source)
        memory = name in ("memcpy.c", "memmove.c", "memcmp.c", "memset.c")
        yield source, flags + (" {noLoopIdiom}" if memory else "")


def muslCrt(tree):
    flags = next(musl(tree))[1]
    yield "crt/crt1.c", flags + " -DCRT"


def lua(tree):
    for source in sorted(glob.glob("src/*.c", root_dir=tree)):
        if os.path.basename(source) not in ("lua.c", "luac.c"):
            yield source, "-std=gnu99 -DLUA_USE_POSIX -I{config}/lua"


def sqlite(tree):
    yield "amalgamation/sqlite3.c", (
        "-std=gnu11 -w -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION"
        " -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_SESSION"
        " -DSQLITE_ENABLE_PREUPDATE_HOOK -DSQLITE_ENABLE_MATH_FUNCTIONS"
        " -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_TEMP_STORE=2 -DHAVE_USLEEP=1"
    )


def libxml2(tree):
    names = (
        "SAX entities encoding error parserInternals parser tree hash list xmlIO xmlmemory uri"
        " valid xlink HTMLparser HTMLtree debugXML xpath xpointer xinclude globals threads c14n"
        " xmlstring buf xmlregexp xmlschemas xmlschemastypes xmlunicode xmlreader relaxng dict"
        " SAX2 xmlwriter legacy chvalid pattern xmlsave schematron catalog xmlmodule"
    )
    for name in names.split():
        yield name + ".c", "-std=gnu11 -w -I{config}/libxml2 -I{gen}/libxml2 -I. -Iinclude"


def expat(tree):
    for name in ("xmlparse", "xmlrole", "xmltok"):
        yield f"expat/lib/{name}.c", (
            "-std=gnu11 -w -DHAVE_EXPAT_CONFIG_H -DXML_STATIC -I{config}/expat -Iexpat/lib"
        )


def zlib(tree):
    for source in sorted(glob.glob("*.c", root_dir=tree)):
        yield source, "-std=gnu11 -w -DHAVE_UNISTD_H -DHAVE_STDARG_H -D_LARGEFILE64_SOURCE=1 -I."


# archive name: (package, sources)
LIBRARIES = {
    "musl": ("musl", musl),
    "lua": ("lua5.4", lua),
    "sqlite3": ("sqlite3", sqlite),
    "xml2": ("libxml2", libxml2),
    "expat": ("expat", expat),
    "z": ("zlib", zlib),
}

# Where applications find the headers, below $SPACER_CACHE/bed/src.
HEADERS = {
    "lua5.4": "src",
    "sqlite3": "amalgamation",
    "libxml2": "include",
    "expat": "expat/lib",
    "zlib": ".",
}

# libxml2's @WITH_...@ switches that stay off; all others are on.
LIBXML2_WITHOUT = {
    "TRIO", "THREADS", "THREAD_ALLOC", "FTP", "HTTP", "LEGACY", "CATALOG", "DOCB", "ICONV", "ICU",
    "MEM_DEBUG", "RUN_DEBUG", "MODULES", "ZLIB", "LZMA",
}
