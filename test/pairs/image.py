"""What can be said about a linked image from its bytes alone, without trusting the linker's own tools."""

import struct

PT_LOAD, PF_X, PF_W, SHF_ALLOC, SHT_NOBITS, PAGE = 1, 1, 2, 2, 8, 4096


class Image:
    def __init__(self, path):
        self.data = path.read_bytes()
        (self.phoff, self.shoff) = struct.unpack_from("<QQ", self.data, 32)
        (_, self.phnum, _, self.shnum, self.shstrndx) = struct.unpack_from("<HHHHH", self.data, 54)
        self.sections = list(self.readSections())

    def readSections(self):
        headers = [struct.unpack_from("<IIQQQQ", self.data, self.shoff + 64 * i) for i in range(self.shnum)]
        names = headers[self.shstrndx][4] if headers else 0
        for name, kind, flags, address, offset, size in headers:
            start = names + name
            text = self.data[start:self.data.index(b"\0", start)].decode()
            yield text, kind, flags, address, offset, size

    def segments(self):
        """(type, flags, file offset, address, bytes in the file, bytes in memory)"""
        for i in range(self.phnum):
            kind, flags, offset, address, _, fileSize, memSize, _ = struct.unpack_from(
                "<IIQQQQQQ", self.data, self.phoff + 56 * i)
            yield kind, flags, offset, address, fileSize, memSize

    def sharedPages(self, prefix):
        """address → bytes, for whole pages of the sections named so."""
        pages = {}
        for name, kind, flags, address, offset, size in self.sections:
            if name.startswith(prefix) and kind != SHT_NOBITS and flags & SHF_ALLOC:
                for at in range(-address % PAGE, size - PAGE + 1, PAGE):
                    pages[address + at] = self.data[offset + at:offset + at + PAGE]
        return pages

    def complaint(self):
        """What no loader should be given; None if all is well."""
        loads = sorted((s[3], s[3] + s[5], s[1]) for s in self.segments() if s[0] == PT_LOAD)
        for start, end, flags in loads:
            if flags & PF_W and flags & PF_X:
                return f"PT_LOAD at {start:#x} is writable and executable"
        for (start, end, _), (nextStart, _, _) in zip(loads, loads[1:]):
            if nextStart < end:
                return f"PT_LOAD at {nextStart:#x} overlaps the one at {start:#x}..{end:#x}"
        return None
