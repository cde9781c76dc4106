//===- Delta.cpp - what turns one version of a library into the next ------===//
//
// The recipe is the next version's file, compressed with zstd where the base's
// bytes, then the delta's own sections, are what came before it (a *prefix*):
// what the base has is referred to, what the delta's visible half has is not
// stored twice, and there is nothing that a change could fall outside of. Five
// megabytes take half a second to make and some milliseconds to apply.
//
// Making needs the two files twice and about 100 MB for zstd's tables; a base
// and a next version of more than 2 GiB together are refused.
//
//===----------------------------------------------------------------------===//

#include "Delta.h"
#include "DeltaObject.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <zstd.h>

using namespace llvm;
using namespace llvm::ELF;
using namespace llvm::object;

namespace spacer {
namespace {

constexpr char deltaMagic[8] = {'S', 'P', 'C', 'R', 'D', 'L', 'T', 'A'};
constexpr uint32_t deltaVersion = 1;
/// zstd's window, 2^31 bytes on 64-bit hosts, holds the prefix and the file.
constexpr uint64_t maxBytes = uint64_t(1) << 31;
/// Slow to write, as fast to read as any; deltas are written once.
constexpr int zstdLevel = 19;

Error bad(const Twine &text) {
  return make_error<StringError>(text, inconvertibleErrorCode());
}

ArrayRef<uint8_t> bytesOf(StringRef s) { return arrayRefFromStringRef(s); }

// The digest of a file without the checksum field at \p at.
Hash128 checksumOf(StringRef file, uint64_t at) {
  return HashBuilder()
      .hash(hashBytes(file.take_front(at)))
      .hash(hashBytes(file.drop_front(at + 16)))
      .finish();
}

Expected<std::string> compress(StringRef prefix, StringRef text) {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx *)> c(ZSTD_createCCtx(),
                                                        ZSTD_freeCCtx);
  unsigned window = std::clamp<unsigned>(
      Log2_64_Ceil(prefix.size() + text.size() + 1), 10, 31);
  ZSTD_CCtx_setParameter(c.get(), ZSTD_c_compressionLevel, zstdLevel);
  ZSTD_CCtx_setParameter(c.get(), ZSTD_c_windowLog, window);
  ZSTD_CCtx_setParameter(c.get(), ZSTD_c_enableLongDistanceMatching, 1);
  ZSTD_CCtx_refPrefix(c.get(), prefix.data(), prefix.size());
  std::string out(ZSTD_compressBound(text.size()), '\0');
  size_t n =
      ZSTD_compress2(c.get(), out.data(), out.size(), text.data(), text.size());
  if (ZSTD_isError(n))
    return bad(Twine("zstd: ") + ZSTD_getErrorName(n));
  out.resize(n);
  return out;
}

// Fills \p out exactly, or says why it cannot.
Error decompress(StringRef prefix, ArrayRef<uint8_t> frame,
                 MutableArrayRef<char> out) {
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) !=
          frame.size() ||
      ZSTD_getFrameContentSize(frame.data(), frame.size()) != out.size())
    return bad("the recipe is not one zstd frame of " + Twine(out.size()) +
               " bytes");
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx *)> d(ZSTD_createDCtx(),
                                                        ZSTD_freeDCtx);
  ZSTD_DCtx_setParameter(d.get(), ZSTD_d_windowLogMax, 31);
  ZSTD_DCtx_refPrefix(d.get(), prefix.data(), prefix.size());
  size_t n = ZSTD_decompressDCtx(d.get(), out.data(), out.size(), frame.data(),
                                 frame.size());
  if (ZSTD_isError(n))
    return bad(Twine("zstd: ") + ZSTD_getErrorName(n));
  if (n != out.size())
    return bad("the recipe gives " + Twine(n) + " bytes instead of " +
               Twine(out.size()));
  return Error::success();
}

Error tooLarge(StringRef file, uint64_t bytes) {
  return bad(file + ": base, next version and delta have " + Twine(bytes) +
             " bytes together; deltas go up to " + Twine(maxBytes));
}

/// Calls \p visit for each section header that lies in the file, until it
/// returns true. Trusts nothing.
bool findSection(
    StringRef file,
    function_ref<bool(const ELF64LE::Shdr &, StringRef name)> visit) {
  using Shdr = ELF64LE::Shdr;
  if (file.size() < sizeof(ELF64LE::Ehdr) || !file.starts_with(ElfMagic) ||
      file[EI_CLASS] != ELFCLASS64 || file[EI_DATA] != ELFDATA2LSB)
    return false;
  auto &e = *reinterpret_cast<const ELF64LE::Ehdr *>(file.data());
  if (e.e_type != ET_REL || e.e_shentsize != sizeof(Shdr) ||
      e.e_shoff > file.size() || file.size() - e.e_shoff < sizeof(Shdr))
    return false;
  auto *first = reinterpret_cast<const Shdr *>(file.data() + e.e_shoff);
  uint64_t count = e.e_shnum ? uint64_t(e.e_shnum) : uint64_t(first->sh_size);
  uint64_t shstrndx =
      e.e_shstrndx == SHN_XINDEX ? uint32_t(first->sh_link) : e.e_shstrndx;
  count = std::min(count, (file.size() - e.e_shoff) / sizeof(Shdr));
  if (shstrndx >= count)
    return false;
  StringRef names =
      file.substr(first[shstrndx].sh_offset, first[shstrndx].sh_size);
  for (const Shdr &s : ArrayRef(first, count))
    if (visit(s, names.substr(s.sh_name).split('\0').first))
      return true;
  return false;
}

} // namespace

StringRef libraryOfFile(StringRef path) {
  StringRef name = sys::path::stem(sys::path::filename(path));
  if (sys::path::extension(path) == ".a")
    name.consume_front("lib");
  return name;
}

Expected<std::unique_ptr<MemoryBuffer>>
makeDelta(MemoryBufferRef base, MemoryBufferRef next, StringRef library) {
  Expected<Library> from = Library::read(base);
  if (!from)
    return from.takeError();
  Expected<Library> to = Library::read(next);
  if (!to)
    return to.takeError();
  StringRef baseName = sys::path::filename(base.getBufferIdentifier());
  LibraryChanges changes = compareLibraries(*from, *to, baseName);
  DeltaObject object(*to, changes);

  uint64_t all =
      base.getBufferSize() + next.getBufferSize() + object.carried().size();
  if (all > maxBytes)
    return tooLarge(next.getBufferIdentifier(), all);
  std::string prefix = (base.getBuffer() + object.carried()).str();
  Expected<std::string> recipe = compress(prefix, next.getBuffer());
  if (!recipe)
    return recipe.takeError();

  DeltaHeader h{};
  memcpy(h.magic, deltaMagic, sizeof deltaMagic);
  h.version = deltaVersion;
  h.headerBytes = sizeof h;
  memcpy(h.baseHash, hashBytes(base.getBuffer()).bytes.data(), 16);
  memcpy(h.nextHash, hashBytes(next.getBuffer()).bytes.data(), 16);
  h.baseBytes = base.getBufferSize();
  h.nextBytes = next.getBufferSize();
  h.carriedOffset = object.carriedOffset();
  h.carriedBytes = object.carried().size();
  h.recipeBytes = recipe->size();
  h.libraryBytes = library.size();
  h.baseNameBytes = baseName.size();
  h.unitCount = object.states().size();
  h.removedCount = changes.removed.size();
  h.sameCount = changes.same;
  h.movedCount = changes.moved;
  std::string section(reinterpret_cast<char *>(&h), sizeof h);
  section += library;
  section += baseName;
  for (DeltaUnitState s : object.states())
    section += char(s);
  section += *recipe;

  std::string file = object.finish(section);
  uint64_t at = object.deltaOffset() + offsetof(DeltaHeader, checksum);
  Hash128 sum = checksumOf(file, at);
  memcpy(file.data() + at, sum.bytes.data(), 16);
  return MemoryBuffer::getMemBufferCopy(file, library);
}

bool isDelta(StringRef file) {
  return findSection(file, [](const ELF64LE::Shdr &, StringRef name) {
    return name == deltaSectionName;
  });
}

static std::vector<StringRef> readTombstones(StringRef file) {
  std::vector<StringRef> lines;
  findSection(file, [&](const ELF64LE::Shdr &s, StringRef name) {
    if (name != tombstonesSectionName)
      return false;
    StringRef rest = file.substr(s.sh_offset, s.sh_size);
    while (!rest.empty()) {
      auto [line, tail] = rest.split('\0');
      lines.push_back(line);
      rest = tail;
    }
    return true;
  });
  return lines;
}

Expected<Delta> readDelta(MemoryBufferRef buffer) {
  StringRef file = buffer.getBuffer();
  auto broken = [&](const Twine &text) {
    return bad(buffer.getBufferIdentifier() + ": " + text);
  };
  uint64_t at = 0, size = 0;
  bool found = findSection(file, [&](const ELF64LE::Shdr &s, StringRef name) {
    at = s.sh_offset;
    size = s.sh_size;
    return name == deltaSectionName;
  });
  if (!found)
    return broken(Twine("no delta object: it has no section ") +
                  deltaSectionName);
  if (at > file.size() || size > file.size() - at)
    return broken("delta object cut short: it has " + Twine(file.size()) +
                  " bytes, its recipe ends at " + Twine(at + size));
  auto &h = *reinterpret_cast<const DeltaHeader *>(file.data() + at);
  if (size < sizeof h || memcmp(h.magic, deltaMagic, sizeof deltaMagic))
    return broken(Twine(deltaSectionName) + " does not begin with SPCRDLTA");
  if (h.version != deltaVersion)
    return broken("delta format " + Twine(uint32_t(h.version)) +
                  "; this program reads format " + Twine(deltaVersion));
  uint64_t sumAt = at + offsetof(DeltaHeader, checksum);
  if (memcmp(checksumOf(file, sumAt).bytes.data(), h.checksum, 16))
    return broken("delta object damaged, or rewritten by another tool: its "
                  "checksum does not fit its bytes");
  uint64_t names = uint64_t(h.libraryBytes) + h.baseNameBytes + h.unitCount;
  if (h.headerBytes != sizeof h || h.recipeBytes > size ||
      sizeof h + names + h.recipeBytes != size ||
      h.carriedOffset > file.size() ||
      h.carriedBytes > file.size() - h.carriedOffset ||
      h.baseBytes > maxBytes || h.nextBytes > maxBytes)
    return broken("the sizes in its delta header do not fit the file");

  Delta d;
  StringRef rest = file.substr(at + sizeof h, size - sizeof h);
  auto take = [&](uint64_t n) {
    StringRef s = rest.take_front(n);
    rest = rest.drop_front(n);
    return s;
  };
  d.file = buffer.getBufferIdentifier();
  d.library = take(h.libraryBytes);
  d.baseName = take(h.baseNameBytes);
  d.states = bytesOf(take(h.unitCount));
  d.recipe = bytesOf(rest);
  d.carried = bytesOf(file.substr(h.carriedOffset, h.carriedBytes));
  memcpy(d.baseHash.bytes.data(), h.baseHash, 16);
  memcpy(d.nextHash.bytes.data(), h.nextHash, 16);
  d.baseBytes = h.baseBytes;
  d.nextBytes = h.nextBytes;
  d.removedUnits = h.removedCount;
  d.sameUnits = h.sameCount;
  d.movedUnits = h.movedCount;
  d.tombstones = readTombstones(file);
  return d;
}

Expected<std::unique_ptr<MemoryBuffer>> applyDelta(MemoryBufferRef base,
                                                   const Delta &d) {
  Hash128 found = hashBytes(base.getBuffer());
  if (base.getBufferSize() != d.baseBytes || found != d.baseHash)
    return bad(d.file + ": delta of " + d.library + " against base " +
               d.baseHash.hex() + " (" + Twine(d.baseBytes) + " bytes), but " +
               base.getBufferIdentifier() + " is " + found.hex() + " (" +
               Twine(base.getBufferSize()) + " bytes)");
  uint64_t all = d.baseBytes + d.nextBytes + d.carried.size();
  if (all > maxBytes)
    return tooLarge(d.file, all);
  auto out = WritableMemoryBuffer::getNewUninitMemBuffer(
      d.nextBytes, base.getBufferIdentifier());
  if (!out)
    return bad(d.file + ": no memory for the next version's " +
               Twine(d.nextBytes) + " bytes");
  std::string prefix = (base.getBuffer() + toStringRef(d.carried)).str();
  if (Error e = decompress(prefix, d.recipe, out->getBuffer()))
    return bad(d.file + ": " + toString(std::move(e)));
  Hash128 made = hashBytes(StringRef(out->getBufferStart(), d.nextBytes));
  if (made != d.nextHash)
    return bad(d.file + ": the recipe gives " + made.hex() + " instead of " +
               d.nextHash.hex());
  return std::unique_ptr<MemoryBuffer>(std::move(out));
}

Error writeFile(StringRef path, StringRef bytes) {
  Error e = writeToOutput(path, [&](raw_ostream &os) {
    os << bytes;
    return Error::success();
  });
  if (!e)
    return e;
  return bad(path + ": " + toString(std::move(e)));
}

} // namespace spacer
