#!/usr/bin/env python3
"""Looks at images of the small unikernel; what two linkers must agree on is printed without addresses.

    look.py tables IMAGE             each table's entries, in order: functions and strings by name
    look.py pointers IMAGE           the functions that an initialised list of the library store points to
    look.py tls IMAGE                offsets from the thread pointer, template, alignment
    look.py symbols IMAGE            that the image's own symbols describe its own part and nothing of the shared one
    look.py memory IMAGE MEGABYTES   that regions and the heap between them make up all memory, and hold all that is loaded
    look.py segments IMAGE           number of PT_LOADs, their permissions, whether two overlap
    look.py same A B                 that both load the same bytes at the same addresses (file offsets may differ)
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from elf import PAGE, PF_W, PF_X, PT_TLS, SHF_ALLOC, SHF_TLS, SHF_WRITE, SHT_NOBITS, Elf  # noqa: E402
from postprocess import regions  # noqa: E402

TABLES = {"early": ("u_early_start", "u_early_end"), "constructors": ("u_ctor_start", "u_ctor_end"),
          "init": ("u_init_start", "u_init_end"), "init_array": ("__init_array_start", "__init_array_end"),
          "threads": ("u_thread_start", "u_thread_end"), "file systems": ("u_fslist_start", "u_fslist_end"),
          "parameters": ("u_params_start", "u_params_end")}
OWN = ("_base_addr", "_text", "_etext", "_rodata", "_erodata", "_tls_start", "_etdata", "_data", "_edata", "__bss_start",
       "_end")


def nameOf(elf, address):
    names = sorted(n.split("@spacer")[0] for n, a, kind, _ in elf.locals if a == address and kind in (1, 2))
    if names:
        return names[0]
    text = bytes(elf.memory(address, 64)).split(b"\0")[0]
    return f'"{text.decode()}"' if text.isascii() and text else "?"


def tables(elf):
    for title, (start, end) in TABLES.items():
        first, last = elf.symbols[start], elf.symbols[end]
        words = struct.unpack(f"<{(last - first) // 8}Q", elf.memory(first, last - first))
        print(f"{title}:", *(nameOf(elf, w) for w in words))


def pointers(elf):
    at, found = elf.symbols["items"], []
    while at:
        apply, at, weight = struct.unpack("<QQQ", elf.memory(at, 24))
        found.append(nameOf(elf, apply))
    print("items:", ", ".join(found))


def tls(elf):
    block = next(s for s in elf.segments if s.kind == PT_TLS)
    size = (block.bytes + block.align - 1) // block.align * block.align
    start, data, end = (elf.symbols[k] for k in ("_tls_start", "_etdata", "_tls_end"))
    assert start == block.address, f"the template is at {block.address:#x}, its symbol at {start:#x}"
    assert data - start == block.fileBytes, f"{block.fileBytes} initialised bytes, the symbols say {data - start}"
    print(f"{block.bytes} bytes aligned to {block.align}; by the symbols {end - start}")
    print("initialised:", bytes(elf.memory(block.address, block.fileBytes)).rstrip(b"\0").hex())
    for name, value, kind, bytes_ in sorted(elf.locals):
        if kind == 6:
            print(f"{name} at {value - size}, {bytes_} bytes")


def symbols(elf):
    at = [elf.symbols[n] for n in OWN]
    assert at == sorted(at), list(zip(OWN, map(hex, at)))
    begin, end = at[0], at[-1]
    spaces = {"text": ("_text", "_etext"), "rodata": ("_rodata", "_erodata"), "data": ("_data", "_edata"),
              "bss": ("__bss_start", "_end")}
    for s in elf.sections:
        if not s.flags & SHF_ALLOC or not s.bytes or (s.flags & SHF_TLS and s.kind == SHT_NOBITS):
            continue
        inside = begin <= s.address and s.end <= end
        outside = s.end <= begin or s.address >= end
        shared = s.name.startswith(".spacer")
        assert outside if shared else inside, f"{s.name} at {s.address:#x}..{s.end:#x}, the image {begin:#x}..{end:#x}"
        space = spaces.get(s.name[1:])
        if space and not shared:
            # What was inserted behind .rodata and .data comes before their ends, with GNU ld behind.
            first, last = elf.symbols[space[0]], elf.symbols[space[1]]
            assert first <= s.address and s.end <= last, f"{s.name} is not in [{first:#x}, {last:#x})"
    print("all of the image lies in [_text, _end), no shared page does")


def memory(elf, megabytes):
    rows, first, end = regions(elf), 1 << 20, megabytes << 20
    at, heap = first, []
    for base, size, flags in rows:
        assert base >= at, f"the region at {base:#x} overlaps the one before it, which ends at {at:#x}"
        assert not (flags & 2 and flags & 4), f"the region at {base:#x} is writable and executable"
        heap.append((at, base))
        at = base + size
    assert at <= end, f"the last region ends at {at:#x}, memory at {end:#x}"
    heap.append((at, end))
    needed = set()
    for s in elf.sections:
        if s.flags & SHF_ALLOC and s.bytes and not (s.flags & SHF_TLS and s.kind == SHT_NOBITS):
            inside = any(base <= s.address and s.end <= base + size for base, size, _ in rows)
            assert inside, f"{s.name} at {s.address:#x} is in no region"
            needed.update(range(s.address // PAGE, (s.end + PAGE - 1) // PAGE))
    # What a section does not touch, but a region takes: alignment between the sections of one segment, less than a page.
    taken = sum(size for _, size, _ in rows)
    extra = taken // PAGE - len(needed)
    assert extra <= 0, f"{extra} pages are in regions and in no section"
    assert taken + sum(b - a for a, b in heap) == end - first
    print("regions and heap are all memory; each section is in a region, no page more")


def segments(elf):
    loads = elf.loads()
    kinds = {"r-x": 0, "r--": 0, "rw-": 0}
    for s in loads:
        assert not (s.flags & PF_W and s.flags & PF_X), f"{s.address:#x} is writable and executable"
        kinds["r-x" if s.flags & PF_X else "rw-" if s.flags & PF_W else "r--"] += 1
    for a, b in zip(loads, loads[1:]):
        assert (a.end + PAGE - 1) // PAGE * PAGE <= b.address, f"{a.address:#x}..{a.end:#x} and {b.address:#x} share a page"
    for s in elf.sections:
        if not s.flags & SHF_ALLOC or not s.bytes or s.flags & SHF_TLS:
            continue
        home = next((p for p in loads if p.address <= s.address and s.end <= p.end), None)
        assert home, f"{s.name} is in no PT_LOAD"
        assert bool(home.flags & PF_X) == bool(s.flags & 4) or ".spacer" not in s.name, f"{s.name}: executable?"
        assert home.flags & PF_W or not s.flags & SHF_WRITE or ".spacer" not in s.name, f"{s.name}: writable?"
        if s.kind == SHT_NOBITS:
            assert home.address + home.fileBytes <= s.address, f"{s.name} takes bytes in the file"
    print(f"{len(loads)} segments:", *(f"{n} {k}" for k, n in kinds.items() if n))


def same(a, b):
    assert [(s.address, s.bytes, s.flags) for s in a.loads()] == [(s.address, s.bytes, s.flags) for s in b.loads()]
    different = [hex(s.address + at) for s in a.loads() for at in range(0, s.bytes, PAGE)
                 if a.memory(s.address + at, min(PAGE, s.bytes - at)) != b.memory(s.address + at, min(PAGE, s.bytes - at))]
    print("the same memory" if not different else "different pages: " + " ".join(different))


def main():
    what, path, *more = sys.argv[1:]
    action = {"tables": tables, "pointers": pointers, "tls": tls, "symbols": symbols, "memory": lambda e: memory(e, int(more[0])),
              "segments": segments, "same": lambda e: same(e, Elf(more[0]))}[what]
    try:
        action(Elf(path))
    except AssertionError as e:
        sys.exit(f"{path}: {e}")


if __name__ == "__main__":
    main()
