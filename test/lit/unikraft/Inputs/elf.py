"""An ELF file, 32 or 64 bits, by its own bytes: what the tests of this folder know about images."""

import struct

PT_LOAD, PT_TLS = 1, 7
PF_X, PF_W, PF_R = 1, 2, 4
SHT_NOBITS, SHF_WRITE, SHF_ALLOC, SHF_TLS = 8, 1, 2, 0x400
PAGE = 4096


class Segment:
    def __init__(self, kind, flags, offset, address, physical, fileBytes, bytes, align):
        self.kind, self.flags, self.offset, self.address, self.physical = kind, flags, offset, address, physical
        self.fileBytes, self.bytes, self.align = fileBytes, bytes, align
        self.end = address + bytes


class Section:
    def __init__(self, name, kind, flags, address, offset, bytes):
        self.name, self.kind, self.flags, self.address, self.offset, self.bytes = name, kind, flags, address, offset, bytes
        self.end = address + bytes


class Elf:
    def __init__(self, path):
        self.data = open(path, "rb").read()
        wide = self.data[4] == 2
        self.bits = 64 if wide else 32
        unpack = struct.unpack_from
        self.type, self.machine, _, self.entry, phoff, shoff = unpack("<HHIQQQ" if wide else "<HHIIII", self.data, 16)
        tail = 54 if wide else 42
        phSize, phCount, shSize, shCount, names = unpack("<HHHHH", self.data, tail)
        self.segments = []
        for at in range(phoff, phoff + phSize * phCount, phSize or 1):
            if wide:
                kind, flags, offset, v, p, inFile, inMemory, align = unpack("<IIQQQQQQ", self.data, at)
            else:
                kind, offset, v, p, inFile, inMemory, flags, align = unpack("<IIIIIIII", self.data, at)
            self.segments.append(Segment(kind, flags, offset, v, p, inFile, inMemory, align))
        form = "<IIQQQQIIQQ" if wide else "<IIIIIIIIII"
        rows = [unpack(form, self.data, at) for at in range(shoff, shoff + shSize * shCount, shSize or 1)]
        text = rows[names][4] if rows else 0
        self.sections = [Section(self.string(text + r[0]), r[1], r[2], r[3], r[4], r[5]) for r in rows]
        self.symbols = {}
        self.locals = []  # (name, address, type, size), all of them
        for r in rows:
            if r[1] == 2 and wide:
                strings = rows[r[6]][4]
                for at in range(r[4], r[4] + r[5], 24):
                    name, info, _, where, value, size = unpack("<IBBHQQ", self.data, at)
                    if where and name:
                        self.symbols[self.string(strings + name)] = value
                        self.locals.append((self.string(strings + name), value, info & 15, size))

    def string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode("latin-1")

    def loads(self):
        return sorted((s for s in self.segments if s.kind == PT_LOAD and s.bytes), key=lambda s: s.address)

    def section(self, name):
        return next((s for s in self.sections if s.name == name), None)

    def memory(self, address, bytes):
        """As loaded; zeros where nothing is loaded."""
        out = bytearray(bytes)
        for s in self.loads():
            first, last = max(address, s.address), min(address + bytes, s.address + s.fileBytes)
            if first < last:
                at = s.offset + first - s.address
                out[first - address:last - address] = self.data[at:at + last - first]
        return bytearray(out)
