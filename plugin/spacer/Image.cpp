//===- Image.cpp - an ELF image as it is loaded ---------------------------===//
//
// Addresses decide, not file offsets: a loader's header in front of the image
// (multiboot) shifts all offsets by less than a page. So a page is composed of
// what each PT_LOAD puts on it. Only pages with bytes in the file are kept; an
// image may ask for any amount of zeros.
//
//===----------------------------------------------------------------------===//

#include "Image.h"
#include "Command.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ELF.h"
#include <algorithm>

using namespace llvm;
using namespace llvm::object;

namespace spacer {

static constexpr uint64_t pageMask = formatPageBytes - 1;

const LoadedPage *Image::page(uint64_t address) const {
  auto it =
      llvm::lower_bound(pages, address, [](const LoadedPage &p, uint64_t a) {
        return p.address < a;
      });
  return it != pages.end() && it->address == address ? &*it : nullptr;
}

bool Image::isLoaded(uint64_t address) const {
  return any_of(segments, [&](const Segment &s) {
    return s.address < address + formatPageBytes && s.end() > address;
  });
}

std::vector<uint8_t> Image::bytesAt(uint64_t address, uint64_t count) const {
  std::vector<uint8_t> out;
  while (out.size() < count) {
    uint64_t at = address + out.size();
    const LoadedPage *p = page(at & ~pageMask);
    if (!p)
      return {};
    uint64_t n =
        std::min(count - out.size(), formatPageBytes - (at & pageMask));
    out.insert(out.end(), p->bytes + (at & pageMask),
               p->bytes + (at & pageMask) + n);
  }
  return out;
}

StringRef Image::sectionAt(uint64_t address) const {
  for (const Section &s : sections)
    if (address >= s.address && address < s.address + s.bytes)
      return s.name;
  return "";
}

template <class ELFT> Error Image::readElf() {
  Expected<ELFFile<ELFT>> elf = ELFFile<ELFT>::create(file->getBuffer());
  if (!elf)
    return elf.takeError();
  const auto &header = elf->getHeader();
  machine = header.e_machine;
  movable = header.e_type == ELF::ET_DYN;
  entry = header.e_entry;
  format =
      formatv("ELF{0} {1}", ELFT::Is64Bits ? 64 : 32,
              machine == ELF::EM_X86_64    ? "x86-64"
              : machine == ELF::EM_AARCH64 ? "AArch64"
              : machine == ELF::EM_386     ? "i386"
                                       : formatv("machine {0}", machine).str());
  if (header.e_type != ELF::ET_EXEC && header.e_type != ELF::ET_DYN)
    return createStringError("ELF file of type %u, expected an executable (2) "
                             "or a shared object (3)",
                             unsigned(header.e_type));
  auto phdrs = elf->program_headers();
  if (!phdrs)
    return phdrs.takeError();
  for (const auto &p : *phdrs) {
    if (p.p_type != ELF::PT_LOAD || !p.p_memsz)
      continue;
    Segment s{p.p_vaddr, p.p_offset, p.p_filesz, p.p_memsz, p.p_flags};
    if (s.fileOffset > file->getBufferSize() ||
        s.fileBytes > file->getBufferSize() - s.fileOffset)
      return createStringError(
          "segment at 0x%llx has bytes up to 0x%llx of the file, which ends at "
          "0x%zx",
          (unsigned long long)s.address,
          (unsigned long long)(s.fileOffset + s.fileBytes),
          file->getBufferSize());
    if (s.fileBytes > s.memBytes || s.address + s.memBytes < s.address)
      return createStringError("segment at 0x%llx: 0x%llx bytes in the file, "
                               "0x%llx in memory",
                               (unsigned long long)s.address,
                               (unsigned long long)s.fileBytes,
                               (unsigned long long)s.memBytes);
    segments.push_back(s);
  }
  llvm::sort(segments, [](auto &a, auto &b) { return a.address < b.address; });

  auto headers = elf->sections();
  if (!headers)
    return headers.takeError();
  for (const auto &s : *headers) {
    Expected<StringRef> name = elf->getSectionName(s);
    if (!name)
      return name.takeError();
    if (s.sh_flags & ELF::SHF_ALLOC)
      sections.push_back({name->str(), s.sh_addr, s.sh_size});
    if (*name != manifestSectionName)
      continue;
    auto bytes = elf->getSectionContents(s);
    if (!bytes)
      return bytes.takeError();
    Expected<ManifestView> m = ManifestView::parse(*bytes);
    if (!m)
      return m.takeError();
    manifest = std::move(*m);
  }
  // A 32-bit loader's headers around 64-bit code: only the manifest tells.
  if (!ELFT::Is64Bits && machine == ELF::EM_386 && manifest &&
      manifest->header.machine == ELF::EM_X86_64) {
    machine = ELF::EM_X86_64;
    format += " around x86-64";
  }
  llvm::sort(sections, [](auto &a, auto &b) { return a.address < b.address; });
  return Error::success();
}

Error Image::readPages() {
  static constexpr uint8_t zeros[formatPageBytes] = {};
  auto *base = reinterpret_cast<const uint8_t *>(file->getBufferStart());
  for (const Segment &s : segments) {
    uint64_t begin = s.address & ~pageMask;
    uint64_t end = s.fileBytes ? s.address + s.fileBytes : begin;
    for (uint64_t a = begin; a < end; a += formatPageBytes) {
      uint64_t from = std::max(a, s.address);
      uint64_t to = std::min(a + formatPageBytes, end);
      const uint8_t *bytes = base + s.fileOffset + (from - s.address);
      bool whole = to - from == formatPageBytes;
      if (pages.empty() || pages.back().address < a) {
        pages.push_back({a, bytes});
        if (!whole)
          pages.back().bytes = composed.emplace_back(formatPageBytes, 0).data();
      } else if (whole || composed.empty() || pages.back().address > a ||
                 pages.back().bytes != composed.back().data()) {
        return createStringError("segments overlap at 0x%llx",
                                 (unsigned long long)a);
      }
      LoadedPage &p = pages.back();
      if (!whole)
        memcpy(composed.back().data() + (from - a), bytes, to - from);
      p.fileBytes += uint32_t(to - from);
    }
  }
  for (LoadedPage &p : pages) {
    p.isZero = !memcmp(p.bytes, zeros, sizeof zeros);
    for (const Segment &s : segments)
      if (s.address < p.address + formatPageBytes && s.end() > p.address)
        p.flags |= s.flags;
  }
  return Error::success();
}

Expected<std::unique_ptr<Image>> Image::read(StringRef path) {
  auto fail = [&](const Twine &what) {
    return createStringError(inconvertibleErrorCode(), path + ": " + what);
  };
  auto image = std::make_unique<Image>();
  image->path = path.str();
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file)
    return fail(file.getError().message());
  image->file = std::move(*file);
  StringRef bytes = image->file->getBuffer();
  if (!bytes.starts_with("\x7f"
                         "ELF") ||
      bytes.size() < ELF::EI_NIDENT)
    return fail("not an ELF file");
  auto [width, order] = getElfArchType(bytes);
  bool is64 = width == ELF::ELFCLASS64, little = order == ELF::ELFDATA2LSB;
  Error e = is64
                ? little ? image->readElf<ELF64LE>() : image->readElf<ELF64BE>()
            : little ? image->readElf<ELF32LE>()
                     : image->readElf<ELF32BE>();
  if (!e)
    e = image->readPages();
  if (e)
    return fail(toString(std::move(e)));
  return std::move(image);
}

const ManifestView &needManifest(const Image &image) {
  if (!image.manifest)
    throw Failure(image.path + ": no " + manifestSectionName +
                  ", expected an image that ld.spacer linked with an atlas and "
                  "that kept it (llvm-strip, llvm-objcopy: --keep-section=" +
                  manifestSectionName + ")");
  return *image.manifest;
}

} // namespace spacer
