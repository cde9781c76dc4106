//===- ElfImage.cpp - the program headers of an ELF image -----------------===//

#include "ElfImage.h"
#include "Fd.h"
#include "spacer/Format.h"
#include <algorithm>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace spacer {
namespace {

/// What an x86-64 CPU can address physically.
constexpr uint64_t mostPhysical = uint64_t(1) << 52;
/// Far above what a boot protocol takes (Unikraft: 128 regions).
constexpr size_t mostSegments = 4096;

std::string hex(uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", (unsigned long long)v);
  return text;
}

class FileReader final : public ByteReader {
public:
  FileReader(UniqueFd fd, std::string name, struct stat st)
      : fd(std::move(fd)), name(std::move(name)), at(st) {}
  uint64_t size() const override { return uint64_t(at.st_size); }

  Result<void> read(uint64_t offset, std::span<uint8_t> out) override {
    while (!out.empty()) {
      ssize_t n = ::pread(fd.get(), out.data(), out.size(), off_t(offset));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return systemError(name);
      if (n == 0)
        return Error{EBADMSG, name + ": ends at byte " +
                                  std::to_string(offset) + ", expected " +
                                  std::to_string(out.size()) + " more"};
      offset += uint64_t(n);
      out = out.subspan(size_t(n));
    }
    return {};
  }

  Result<void> checkUnchanged() override {
    struct stat now;
    if (::fstat(fd.get(), &now) != 0)
      return systemError(name);
    if (now.st_size != at.st_size || now.st_mtim.tv_sec != at.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != at.st_mtim.tv_nsec)
      return Error{EBADMSG, name + ": was written to while it was read"};
    return {};
  }

private:
  UniqueFd fd;
  std::string name;
  struct stat at;
};

bool inside(uint64_t offset, uint64_t bytes, uint64_t size) {
  return offset <= size && bytes <= size - offset;
}

template <class T>
Result<std::vector<T>> readTable(ByteReader &file, uint64_t offset,
                                 uint64_t count, const std::string &what) {
  if (!inside(offset, count * sizeof(T), file.size()))
    return Error{EBADMSG, what + " end at byte " +
                              std::to_string(offset + count * sizeof(T)) +
                              ", the file has " + std::to_string(file.size())};
  std::vector<T> rows(count);
  auto done = file.read(
      offset, {reinterpret_cast<uint8_t *>(rows.data()), count * sizeof(T)});
  if (!done)
    return done.takeError();
  return rows;
}

/// The structs of one ELF class.
struct Elf64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  using Section = Elf64_Shdr;
  static constexpr uint16_t machine = EM_X86_64;
  static constexpr const char *machineName = "x86-64 (62)";
};
struct Elf32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  using Section = Elf32_Shdr;
  static constexpr uint16_t machine = EM_386;
  static constexpr const char *machineName = "i386 (3), as 32-bit loaders take";
};

std::string identityProblem(const uint8_t (&ident)[EI_NIDENT]) {
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0)
    return "no ELF file";
  bool known = ident[EI_CLASS] == ELFCLASS64 || ident[EI_CLASS] == ELFCLASS32;
  if (!known || ident[EI_DATA] != ELFDATA2LSB)
    return "ELF class " + std::to_string(ident[EI_CLASS]) + ", data " +
           std::to_string(ident[EI_DATA]) +
           ", expected 64 or 32 bits, little-endian";
  return {};
}

template <class T> std::string headerProblem(const typename T::Header &h) {
  if (h.e_machine != T::machine)
    return "ELF machine " + std::to_string(h.e_machine) + ", expected " +
           T::machineName;
  if (h.e_type != ET_EXEC && h.e_type != ET_DYN)
    return "ELF type " + std::to_string(h.e_type) + ", expected an executable";
  return {};
}

std::string segmentProblem(const ElfSegment &s, uint64_t size) {
  if (s.fileBytes > s.memoryBytes)
    return "has " + hex(s.fileBytes) + " bytes in the file, " +
           hex(s.memoryBytes) + " in memory";
  if (s.fileBytes && !inside(s.fileOffset, s.fileBytes, size))
    return "maps " + hex(s.fileBytes) + " bytes at " + hex(s.fileOffset) +
           ", the file has " + hex(size);
  // One less than the end, so that the last page may be used.
  if (s.memoryBytes - 1 > ~s.virtualAddress)
    return "passes the end of the address space";
  if (!inside(s.physicalAddress, s.memoryBytes, mostPhysical))
    return "ends above physical address " + hex(mostPhysical);
  return {};
}

/// Two that overlap: a loader's order would decide what the memory holds.
std::string overlapProblem(const std::vector<ElfSegment> &segments,
                           uint64_t ElfSegment::*address, const char *space) {
  std::vector<const ElfSegment *> order;
  for (const ElfSegment &s : segments)
    order.push_back(&s);
  std::sort(order.begin(), order.end(),
            [&](auto *a, auto *b) { return a->*address < b->*address; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i]->*address - order[i - 1]->*address < order[i - 1]->memoryBytes)
      return std::string("two segments overlap at ") + space + " address " +
             hex(order[i]->*address);
  return {};
}

template <class T>
Result<std::optional<ElfImage::Range>> findManifest(ByteReader &file,
                                                    const typename T::Header &h,
                                                    const std::string &name) {
  using Section = typename T::Section;
  std::optional<ElfImage::Range> none, found;
  if (h.e_shoff == 0)
    return none;
  if (h.e_shnum == 0 || h.e_shstrndx == SHN_XINDEX)
    return Error{EBADMSG, name + ": more than 65279 sections, expected fewer"};
  if (h.e_shentsize != sizeof(Section) || h.e_shstrndx >= h.e_shnum)
    return Error{EBADMSG, name + ": section headers of " +
                              std::to_string(h.e_shentsize) +
                              " bytes, names in section " +
                              std::to_string(h.e_shstrndx) + " of " +
                              std::to_string(h.e_shnum)};
  auto rows = readTable<Section>(file, h.e_shoff, h.e_shnum,
                                 name + ": section headers");
  if (!rows)
    return rows.takeError();
  const Section &names = (*rows)[h.e_shstrndx];
  constexpr uint64_t wanted = sizeof manifestSectionName; // with its NUL
  for (const Section &s : *rows) {
    if (s.sh_type == SHT_NULL || s.sh_type == SHT_NOBITS ||
        s.sh_name >= names.sh_size || names.sh_size - s.sh_name < wanted)
      continue;
    if (!inside(names.sh_offset, names.sh_size, file.size()))
      return Error{EBADMSG, name + ": section names are outside the file"};
    uint8_t text[wanted];
    if (auto done = file.read(names.sh_offset + s.sh_name, text); !done)
      return done.takeError();
    if (std::memcmp(text, manifestSectionName, wanted) != 0)
      continue;
    if (found)
      return Error{EBADMSG, name + ": two sections " + manifestSectionName};
    if (!inside(s.sh_offset, s.sh_size, file.size()))
      return Error{EBADMSG, name + ": section " + manifestSectionName +
                                " ends at byte " +
                                hex(uint64_t(s.sh_offset) + s.sh_size) +
                                ", the file has " + hex(file.size())};
    found = ElfImage::Range{s.sh_offset, s.sh_size};
  }
  return found;
}

} // namespace

Result<void> MemoryReader::read(uint64_t offset, std::span<uint8_t> out) {
  if (!inside(offset, out.size(), bytes.size()))
    return Error{EBADMSG, "ends at byte " + std::to_string(bytes.size())};
  if (!out.empty())
    std::memcpy(out.data(), bytes.data() + offset, out.size());
  return {};
}

Result<std::unique_ptr<ByteReader>> openBytes(const std::string &path) {
  // Not to wait for the other end of a pipe.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat st;
  if (!fd || ::fstat(fd.get(), &st) != 0)
    return systemError(path);
  if (!S_ISREG(st.st_mode))
    return Error{EINVAL, path + ": no regular file"};
  return std::unique_ptr<ByteReader>(new FileReader(std::move(fd), path, st));
}

namespace {

template <class T>
Result<ElfImage> readAs(ByteReader &file, const std::string &name) {
  typename T::Header h{};
  uint64_t size = file.size();
  if (auto done = file.read(0, {reinterpret_cast<uint8_t *>(&h),
                                size_t(std::min<uint64_t>(size, sizeof h))});
      !done)
    return done.takeError();
  if (std::string why = headerProblem<T>(h); !why.empty())
    return Error{ENOEXEC, name + ": " + why};
  auto bad = [&](const std::string &why) {
    return Error{EBADMSG, name + ": " + why};
  };
  if (size < sizeof h)
    return bad("ELF header of " + std::to_string(size) + " bytes");
  if (h.e_phnum == PN_XNUM || h.e_phentsize != sizeof(typename T::Segment))
    return bad(std::to_string(h.e_phnum) + " program headers of " +
               std::to_string(h.e_phentsize) + " bytes, expected " +
               std::to_string(sizeof(typename T::Segment)));
  auto rows = readTable<typename T::Segment>(file, h.e_phoff, h.e_phnum,
                                             name + ": program headers");
  if (!rows)
    return rows.takeError();

  ElfImage image;
  image.machine = h.e_machine;
  image.entry = h.e_entry;
  uint64_t loaded = 0;
  for (const auto &p : *rows) {
    if (p.p_type != PT_LOAD || (p.p_memsz == 0 && p.p_filesz == 0))
      continue;
    ElfSegment s{p.p_offset, p.p_vaddr, p.p_paddr,
                 p.p_filesz, p.p_memsz, p.p_flags};
    if (std::string why = segmentProblem(s, size); !why.empty())
      return bad("segment at " + hex(s.virtualAddress) + " " + why);
    loaded += s.fileBytes;
    image.segments.push_back(s);
  }
  if (image.segments.empty())
    return bad("no segment is loaded");
  if (image.segments.size() > mostSegments)
    return bad(std::to_string(image.segments.size()) +
               " segments, the most is " + std::to_string(mostSegments));
  // Segments share no bytes but those of headers; otherwise a small file could
  // ask for any amount of reading.
  if (loaded / 2 > size)
    return bad("segments load " + std::to_string(loaded) +
               " bytes, the file has " + std::to_string(size));
  for (const std::string &why :
       {overlapProblem(image.segments, &ElfSegment::virtualAddress, "virtual"),
        overlapProblem(image.segments, &ElfSegment::physicalAddress,
                       "physical")})
    if (!why.empty())
      return bad(why);
  std::sort(image.segments.begin(), image.segments.end(),
            [](const ElfSegment &a, const ElfSegment &b) {
              return a.physicalAddress < b.physicalAddress;
            });
  auto manifest = findManifest<T>(file, h, name);
  if (!manifest)
    return manifest.takeError();
  image.manifest = *manifest;
  return image;
}

} // namespace

Result<ElfImage> ElfImage::read(ByteReader &file, const std::string &name) {
  uint8_t ident[EI_NIDENT] = {};
  if (auto done = file.read(
          0, {ident, size_t(std::min<uint64_t>(file.size(), sizeof ident))});
      !done)
    return done.takeError();
  if (std::string why = identityProblem(ident); !why.empty())
    return Error{ENOEXEC, name + ": " + why};
  return ident[EI_CLASS] == ELFCLASS64 ? readAs<Elf64>(file, name)
                                       : readAs<Elf32>(file, name);
}

} // namespace spacer
