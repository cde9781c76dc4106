//===- ImageBuilder.h - small ELF images with manifests, for tests --------===//

#ifndef SPACER_TEST_IMAGEBUILDER_H
#define SPACER_TEST_IMAGEBUILDER_H

#include "Digest.h"
#include "Units.h"
#include "spacer/Format.h"
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <elf.h>
#include <map>
#include <string>
#include <vector>

namespace spacer::test {

using Bytes = std::vector<uint8_t>;

template <class T> void append(Bytes &to, const T &value) {
  auto *p = reinterpret_cast<const uint8_t *>(&value);
  to.insert(to.end(), p, p + sizeof value);
}

/// Fixes offsets, counts and checksum of rows that a test made.
struct ManifestBuilder {
  std::vector<ManifestPage> pages;
  std::vector<ManifestUnit> units;
  std::vector<ManifestSlot> slots;
  std::string strings = std::string("\0one\0f\0", 7);

  static void seal(Bytes &manifest) {
    auto *sum = manifest.data() + offsetof(ManifestHeader, checksum);
    std::memset(sum, 0, 16);
    Digest d = digestOf(manifest);
    std::memcpy(sum, d.bytes.data(), 16);
  }
  Bytes bytes() const {
    ManifestHeader h{};
    std::memcpy(h.magic, manifestMagic, sizeof h.magic);
    h.version = manifestVersion;
    h.headerBytes = sizeof h;
    h.pageBytes = formatPageBytes;
    h.machine = EM_X86_64;
    h.pagesOffset = sizeof h;
    h.unitsOffset = h.pagesOffset + pages.size() * sizeof(ManifestPage);
    h.slotsOffset = h.unitsOffset + units.size() * sizeof(ManifestUnit);
    h.stringsOffset = h.slotsOffset + slots.size() * sizeof(ManifestSlot);
    h.pageCount = uint32_t(pages.size());
    h.unitCount = uint32_t(units.size());
    h.slotCount = uint32_t(slots.size());
    h.stringsBytes = uint32_t(strings.size());
    h.totalBytes = (h.stringsOffset + strings.size() + 7) / 8 * 8;
    Bytes out;
    append(out, h);
    for (auto &p : pages)
      append(out, p);
    for (auto &u : units)
      append(out, u);
    for (auto &s : slots)
      append(out, s);
    out.insert(out.end(), strings.begin(), strings.end());
    out.resize(h.totalBytes);
    seal(out);
    return out;
  }
};

struct ImageBuilder {
  struct Segment {
    uint64_t virtualAddress, physicalAddress;
    Bytes bytes;
    uint64_t memoryBytes = 0; ///< 0: as many as bytes
    uint32_t flags = PF_R;
  };
  std::vector<Segment> segments;
  bool withManifest = true;
  PageClass pageClass = PageClass::Text; ///< of all pages in the manifest

  /// What the manifest must say, from the segments.
  ManifestBuilder manifest() const {
    std::map<uint64_t, Bytes> pages;
    for (const Segment &s : segments) {
      uint64_t n = std::max<uint64_t>(s.memoryBytes, s.bytes.size());
      for (uint64_t i = 0; i < n; ++i) {
        uint64_t at = s.virtualAddress + i;
        Bytes &page = pages[at / pageBytes];
        page.resize(pageBytes);
        if (i < s.bytes.size())
          page[at % pageBytes] = s.bytes[i];
      }
    }
    ManifestBuilder m;
    for (auto &[page, bytes] : pages) {
      ManifestPage row{};
      row.address = page * pageBytes;
      Digest d = digestOf(bytes);
      std::memcpy(row.hash, d.bytes.data(), 16);
      row.flags = PageRead;
      row.pageClass = pageClass;
      m.pages.push_back(row);
    }
    return m;
  }

  Bytes bytes() const { return bytes(manifest().bytes()); }
  Bytes bytes(const Bytes &manifestBytes) const {
    static const char names[] = "\0.spacer.manifest\0.shstrtab";
    Elf64_Ehdr h{};
    std::memcpy(h.e_ident, ELFMAG, SELFMAG);
    h.e_ident[EI_CLASS] = ELFCLASS64;
    h.e_ident[EI_DATA] = ELFDATA2LSB;
    h.e_ident[EI_VERSION] = EV_CURRENT;
    h.e_type = ET_EXEC;
    h.e_machine = EM_X86_64;
    h.e_ehsize = sizeof h;
    h.e_phoff = sizeof h;
    h.e_phentsize = sizeof(Elf64_Phdr);
    h.e_phnum = uint16_t(segments.size());
    Bytes out(sizeof h + segments.size() * sizeof(Elf64_Phdr));
    for (size_t i = 0; i < segments.size(); ++i) {
      const Segment &s = segments[i];
      Elf64_Phdr p{};
      p.p_type = PT_LOAD;
      p.p_flags = s.flags;
      p.p_offset = out.size();
      p.p_vaddr = s.virtualAddress;
      p.p_paddr = s.physicalAddress;
      p.p_filesz = s.bytes.size();
      p.p_memsz = std::max<uint64_t>(s.memoryBytes, s.bytes.size());
      std::memcpy(out.data() + sizeof h + i * sizeof p, &p, sizeof p);
      out.insert(out.end(), s.bytes.begin(), s.bytes.end());
    }
    if (withManifest) {
      Elf64_Shdr none{}, m{}, n{};
      m.sh_type = n.sh_type = SHT_PROGBITS;
      m.sh_name = 1;
      m.sh_offset = out.size();
      m.sh_size = manifestBytes.size();
      out.insert(out.end(), manifestBytes.begin(), manifestBytes.end());
      n.sh_name = 18;
      n.sh_offset = out.size();
      n.sh_size = sizeof names;
      out.insert(out.end(), names, names + sizeof names);
      h.e_shoff = out.size();
      h.e_shentsize = sizeof none;
      h.e_shnum = 3;
      h.e_shstrndx = 2;
      append(out, none);
      append(out, m);
      append(out, n);
    }
    std::memcpy(out.data(), &h, sizeof h);
    return out;
  }
};

/// The image as a build makes it for a 32-bit loader: ELF32 headers before it,
/// section headers behind it, so that no offset is what it was.
inline Bytes inElf32(const Bytes &image) {
  Elf64_Ehdr h;
  std::memcpy(&h, image.data(), sizeof h);
  Elf32_Ehdr out{};
  uint32_t shift = uint32_t(sizeof out + h.e_phnum * sizeof(Elf32_Phdr));
  std::memcpy(out.e_ident, h.e_ident, EI_NIDENT);
  out.e_ident[EI_CLASS] = ELFCLASS32;
  out.e_type = h.e_type;
  out.e_machine = EM_386;
  out.e_entry = uint32_t(h.e_entry);
  out.e_ehsize = out.e_phoff = sizeof out;
  out.e_phentsize = sizeof(Elf32_Phdr);
  out.e_phnum = h.e_phnum;
  out.e_shentsize = sizeof(Elf32_Shdr);
  out.e_shnum = h.e_shnum;
  out.e_shstrndx = h.e_shstrndx;
  out.e_shoff = uint32_t(shift + image.size());
  Bytes bytes;
  append(bytes, out);
  for (unsigned i = 0; i != h.e_phnum; ++i) {
    Elf64_Phdr p;
    std::memcpy(&p, image.data() + h.e_phoff + i * sizeof p, sizeof p);
    append(bytes, Elf32_Phdr{p.p_type, uint32_t(p.p_offset) + shift,
                             uint32_t(p.p_vaddr), uint32_t(p.p_paddr),
                             uint32_t(p.p_filesz), uint32_t(p.p_memsz),
                             p.p_flags, uint32_t(p.p_align)});
  }
  bytes.insert(bytes.end(), image.begin(), image.end());
  for (unsigned i = 0; i != h.e_shnum; ++i) {
    Elf64_Shdr s;
    std::memcpy(&s, image.data() + h.e_shoff + i * sizeof s, sizeof s);
    append(bytes, Elf32_Shdr{s.sh_name, s.sh_type, uint32_t(s.sh_flags),
                             uint32_t(s.sh_addr), uint32_t(s.sh_offset) + shift,
                             uint32_t(s.sh_size), s.sh_link, s.sh_info,
                             uint32_t(s.sh_addralign), uint32_t(s.sh_entsize)});
  }
  return bytes;
}

inline Bytes someBytes(size_t n, uint32_t seed) {
  Bytes b(n);
  for (auto &c : b)
    c = uint8_t((seed = seed * 1664525 + 1013904223) >> 24);
  return b;
}

/// Three segments: two that share the page 0x101000, one with a .bss.
inline ImageBuilder smallImage() {
  ImageBuilder b;
  b.segments.push_back({0x100000, 0x100000, someBytes(0x1800, 1)});
  b.segments.push_back({0x101900, 0x101900, someBytes(0x300, 2), 0x500});
  b.segments.push_back({0x104010, 0x104010, someBytes(0x20, 3), 0x3000});
  return b;
}

} // namespace spacer::test

#endif
