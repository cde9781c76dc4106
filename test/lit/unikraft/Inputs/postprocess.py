#!/usr/bin/env python3
"""What a build does to a finished image, written from the facts alone.

    postprocess.py regions IMAGE [OUT]   the bytes of .u_bootinfo: one region for each PT_LOAD that takes memory, in order of
                                         address, rounded up to pages; at most 128. OUT: writes them; else prints the regions
    postprocess.py bootinfo IMAGE        puts them into the image with objcopy --update-section
    postprocess.py reloc IMAGE           .rela.dyn becomes a table of 24-byte rows in .u_reloc
    postprocess.py multiboot IMAGE       prepends an ELF32 header, a multiboot header and ELF32 program headers, appends ELF32
                                         section headers: 32-bit loaders take the image, and no offset is page-aligned any more
    postprocess.py all IMAGE OUT         strip, bootinfo, multiboot, as a build does
"""

import os
import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from elf import PAGE, PF_R, PF_W, PF_X, Elf  # noqa: E402

MAGIC, MOST = 0x6f666e69746f6f62, 128


def objcopy(section, content, image):
    blob = image + ".blob"
    pathlib.Path(blob).write_bytes(content)
    subprocess.run([os.environ.get("OBJCOPY", "objcopy"), "--update-section", f"{section}={blob}", image], check=True,
                   stderr=subprocess.DEVNULL)
    os.remove(blob)


def regions(elf):
    """(base, bytes, flags) by address."""
    out = []
    for s in elf.loads():
        if s.address % PAGE:
            sys.exit(f"segment at {s.address:#x} does not begin with a page")
        flags = (s.flags & PF_R and 1) | (s.flags & PF_W and 2) | (s.flags & PF_X and 4)
        out.append((s.address, (s.bytes + PAGE - 1) // PAGE * PAGE, flags))
    if len(out) > MOST:
        sys.exit(f"{len(out)} regions, the most is {MOST}")
    return out


def bootinfo(elf):
    rows = regions(elf)
    blob = struct.pack("<QQ", MAGIC, len(rows)) + b"".join(struct.pack("<QQQ", *r) for r in rows)
    return blob.ljust(16 + 24 * MOST, b"\0")


def relocations(elf, limit):
    """Offsets from the base, of words below `limit`: what is loaded behind .bss is not looked at."""
    base, out = elf.symbols["_base_addr"], []
    table = elf.section(".rela.dyn")
    for at in range(table.offset, table.offset + table.bytes, 24):
        where, info, value = struct.unpack_from("<QQq", elf.data, at)
        if info & 0xffffffff != 8:
            sys.exit(f"relocation of type {info & 0xffffffff} at {where:#x}, expected R_X86_64_RELATIVE")
        if where < limit:
            out.append((where - base, value - base))
    return out


def reloc(image):
    elf = Elf(image)
    section = elf.section(".u_reloc")
    rows = relocations(elf, elf.section(".bss").address)
    blob = struct.pack("<I", 0xbadb0b0) + b"".join(struct.pack("<QqII", w, v, 8, 0) for w, v in rows) + bytes(24)
    room = elf.symbols["u_reloc_end"] - elf.symbols["u_reloc_start"]
    if len(blob) > room:
        sys.exit(f"{len(rows)} relocations take {len(blob)} bytes, there are {room}")
    objcopy(".u_reloc", blob, image)


def multiboot(image):
    data = pathlib.Path(image).read_bytes()
    elf = Elf(image)
    if elf.bits != 64:
        sys.exit(f"{image}: not an ELF64 file")
    names = struct.unpack_from("<H", data, 62)[0]
    shift = 52 + 12 + 32 * len(elf.segments)
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", elf.type, 3, 1, elf.entry, 52 + 12, shift + len(data), 0, 52,
                         32, len(elf.segments), 40, len(elf.sections), names)
    loader = struct.pack("<III", 0x1badb002, 3, -(0x1badb002 + 3) & 0xffffffff)
    segments = b"".join(
        struct.pack("<IIIIIIII", s.kind, s.offset + shift, s.address, s.physical, s.fileBytes, s.bytes, s.flags, s.align)
        for s in elf.segments)
    rows = b""
    shoff, shSize = struct.unpack_from("<Q", data, 40)[0], 64
    for at in range(shoff, shoff + shSize * len(elf.sections), shSize):
        name, kind, flags, address, offset, size, link, info, align, entry = struct.unpack_from("<IIQQQQIIQQ", data, at)
        rows += struct.pack("<IIIIIIIIII", name, kind, flags, address, offset + shift, size, link, info, align, entry)
    pathlib.Path(image).write_bytes(header + loader + segments + data + rows)


def main():
    what, image = sys.argv[1], sys.argv[2]
    if what == "regions" and len(sys.argv) > 3:
        pathlib.Path(sys.argv[3]).write_bytes(bootinfo(Elf(image)))
    elif what == "regions":
        for base, size, flags in regions(Elf(image)):
            print(f"{base:#x} {size:#x} {'-r'[flags & 1]}{'-w'[flags >> 1 & 1]}{'-x'[flags >> 2]}")
    elif what == "bootinfo":
        objcopy(".u_bootinfo", bootinfo(Elf(image)), image)
    elif what == "reloc":
        reloc(image)
    elif what == "multiboot":
        multiboot(image)
    elif what == "all":
        out = sys.argv[3]
        subprocess.run([os.environ.get("STRIP", "strip"), "-s", image, "-o", out], check=True)
        objcopy(".u_bootinfo", bootinfo(Elf(out)), out)
        multiboot(out)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
