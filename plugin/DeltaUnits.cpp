//===- DeltaUnits.cpp - the units of a library, and what became of them ---===//
//
// Two units are the same if nothing but the member's name tells them apart:
// equal section, symbols, bytes and relocations, where the target of a
// relocation is its symbol's name, the characters of a string, or, without
// either, the bytes of the section and the offset there. Numbers that compilers
// append to names of statics do not count while they tell nobody apart.
//
// Units are paired in passes, the most alike first, each unit once:
//   1. same content, same member           same
//   2. same content                        moved to another member
//   3. same section and symbols, same member
//   4. same section and symbols            } changed
//   5. same section, same member
// What is left of the new library is new, what is left of the base removed.
//
//===----------------------------------------------------------------------===//

#include "DeltaUnits.h"
#include "Names.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/BinaryFormat/Magic.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ELF.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Object/Error.h"

using namespace llvm;
using namespace llvm::ELF;
using namespace llvm::object;

namespace spacer {
namespace {

constexpr uint32_t noUnit = LibrarySymbol::noUnit;

Error bad(const Twine &text) {
  return make_error<StringError>(text, inconvertibleErrorCode());
}

/// Assemblers' labels, which some compilers leave in the symbol table: they
/// are numbered and name nothing that outlives a version.
bool isLabel(const LibrarySymbol &s) {
  return s.isLocal() && s.name.starts_with(".L");
}

/// Reads the objects of a library one after the other.
class Reader {
public:
  explicit Reader(Library &l) : library(l) {}
  Error addObject(StringRef name, MemoryBufferRef file);

private:
  Error addSymbols(const ELFFile<ELF64LE> &elf, const ELF64LE::Shdr &table,
                   ArrayRef<uint32_t> unitOf);
  Error addRelocs(const ELFFile<ELF64LE> &elf, const ELF64LE::Shdr &sec,
                  LibraryUnit &unit);
  StringRef stableName(const LibrarySymbol &s) const;
  void hashTarget(HashBuilder &h, const LibraryReloc &r) const;
  bool hashPiece(HashBuilder &h, const LibraryUnit &to, uint64_t at) const;
  void hashUnit(LibraryUnit &u) const;

  Library &library;
  uint32_t firstSymbol = 0, firstUnit = 0; ///< of the object at hand
  std::vector<Hash128> bodies;             ///< of its units' bytes
  StringMap<unsigned> statics; ///< of the object at hand, without numbers
};

Error Reader::addObject(StringRef name, MemoryBufferRef file) {
  uint32_t member = library.members.size();
  firstUnit = library.units.size();
  library.members.push_back(name.str());
  firstSymbol = library.symbols.size();
  statics.clear();
  StringRef data = file.getBuffer();
  if (identify_magic(data) != file_magic::elf_relocatable ||
      data[EI_CLASS] != ELFCLASS64 || data[EI_DATA] != ELFDATA2LSB)
    return Error::success();

  Expected<ELFFile<ELF64LE>> elf = ELFFile<ELF64LE>::create(data);
  if (!elf)
    return elf.takeError();
  if (!firstUnit)
    library.machine = elf->getHeader().e_machine;
  Expected<ELF64LE::ShdrRange> sections = elf->sections();
  if (!sections)
    return sections.takeError();

  std::vector<uint32_t> unitOf(sections->size(), noUnit);
  const ELF64LE::Shdr *symtab = nullptr;
  for (const ELF64LE::Shdr &sec : *sections) {
    if (sec.sh_type == SHT_SYMTAB)
      symtab = &sec;
    if (!(sec.sh_flags & SHF_ALLOC))
      continue;
    Expected<StringRef> title = elf->getSectionName(sec);
    if (!title)
      return title.takeError();
    LibraryUnit u;
    u.member = member;
    u.section = *title;
    u.type = sec.sh_type;
    u.flags = sec.sh_flags;
    u.align = std::max<uint64_t>(sec.sh_addralign, 1);
    u.entsize = sec.sh_entsize;
    u.bytes = sec.sh_size;
    if (sec.sh_type != SHT_NOBITS) {
      Expected<ArrayRef<uint8_t>> bytes = elf->getSectionContents(sec);
      if (!bytes)
        return bytes.takeError();
      u.content = *bytes;
    }
    unitOf[&sec - sections->begin()] = library.units.size();
    library.units.push_back(std::move(u));
  }
  if (symtab)
    if (Error e = addSymbols(*elf, *symtab, unitOf))
      return e;
  for (const ELF64LE::Shdr &sec : *sections)
    if (sec.sh_type == SHT_RELA && sec.sh_info < unitOf.size() &&
        unitOf[sec.sh_info] != noUnit)
      if (Error e = addRelocs(*elf, sec, library.units[unitOf[sec.sh_info]]))
        return e;
  bodies.clear();
  for (size_t i = firstUnit; i != library.units.size(); ++i)
    bodies.push_back(hashBytes(library.units[i].content));
  for (size_t i = firstUnit; i != library.units.size(); ++i)
    hashUnit(library.units[i]);
  return Error::success();
}

Error Reader::addSymbols(const ELFFile<ELF64LE> &elf,
                         const ELF64LE::Shdr &table,
                         ArrayRef<uint32_t> unitOf) {
  Expected<ELF64LE::SymRange> symbols = elf.symbols(&table);
  if (!symbols)
    return symbols.takeError();
  Expected<StringRef> names = elf.getStringTableForSymtab(table);
  if (!names)
    return names.takeError();
  ArrayRef<ELF64LE::Word> extended;
  for (const ELF64LE::Shdr &sec : cantFail(elf.sections()))
    if (sec.sh_type == SHT_SYMTAB_SHNDX) {
      auto t = elf.getSHNDXTable(sec);
      if (!t)
        return t.takeError();
      extended = *t;
    }

  for (const ELF64LE::Sym &sym : *symbols) {
    LibrarySymbol s;
    Expected<StringRef> name = sym.getName(*names);
    if (!name)
      return name.takeError();
    s.name = *name;
    s.member = library.members.size() - 1;
    s.info = sym.st_info;
    s.other = sym.st_other;
    s.value = sym.st_value;
    s.size = sym.st_size;
    Expected<uint32_t> index = elf.getSectionIndex(sym, *symbols, extended);
    if (!index)
      return index.takeError();
    if (*index && *index < unitOf.size())
      s.unit = unitOf[*index];
    else if (sym.st_shndx == SHN_ABS || sym.st_shndx == SHN_COMMON)
      s.special = sym.st_shndx;
    if (s.isLocal() && s.type() < STT_SECTION)
      ++statics[withoutNumbers(s.name)];
    uint32_t id = library.symbols.size();
    library.symbols.push_back(s);
    if (s.unit != noUnit && s.type() != STT_SECTION && !s.name.empty() &&
        !isLabel(s))
      library.units[s.unit].symbols.push_back(id);
  }
  for (uint32_t u : unitOf)
    if (u != noUnit)
      llvm::sort(library.units[u].symbols, [&](uint32_t a, uint32_t b) {
        const LibrarySymbol &x = library.symbols[a], &y = library.symbols[b];
        return std::tuple(x.value, x.isLocal(), x.name, a) <
               std::tuple(y.value, y.isLocal(), y.name, b);
      });
  return Error::success();
}

Error Reader::addRelocs(const ELFFile<ELF64LE> &elf, const ELF64LE::Shdr &sec,
                        LibraryUnit &unit) {
  Expected<ELF64LE::RelaRange> relas = elf.relas(sec);
  if (!relas)
    return relas.takeError();
  for (const ELF64LE::Rela &r : *relas) {
    uint32_t symbol = firstSymbol + r.getSymbol(false);
    if (symbol >= library.symbols.size())
      return bad(unit.section + ": a relocation has symbol " +
                 Twine(r.getSymbol(false)) + " of " +
                 Twine(library.symbols.size() - firstSymbol));
    unit.relocs.push_back({r.r_offset, r.getType(false), symbol, r.r_addend});
  }
  return Error::success();
}

StringRef Reader::stableName(const LibrarySymbol &s) const {
  if (!s.isLocal())
    return s.name;
  StringRef plain = withoutNumbers(s.name);
  return statics.lookup(plain) == 1 ? plain : s.name;
}

// The string or constant of a merge section that \p at lies in.
bool Reader::hashPiece(HashBuilder &h, const LibraryUnit &to,
                       uint64_t at) const {
  uint64_t width = to.entsize;
  if (!(to.flags & SHF_MERGE) || !width || at >= to.content.size())
    return false;
  uint64_t begin = at / width * width, end = begin + width;
  auto isZero = [&](uint64_t i) {
    return llvm::all_of(to.content.slice(i, width),
                        [](uint8_t c) { return c == 0; });
  };
  if (to.content.size() % width)
    return false;
  if (to.flags & SHF_STRINGS) {
    while (begin >= width && !isZero(begin - width))
      begin -= width;
    while (end < to.content.size() && !isZero(end - width))
      end += width;
  }
  h.str("piece").u64(at - begin).raw(to.content.slice(begin, end - begin));
  return true;
}

// A PC-relative field counts from the instruction's end, four bytes behind the
// field as a rule: the addend of its relocation has -4 for that.
static int64_t bias(uint32_t type) {
  switch (type) {
  case R_X86_64_PC32:
  case R_X86_64_PLT32:
  case R_X86_64_GOTPCREL:
  case R_X86_64_GOTPCRELX:
  case R_X86_64_REX_GOTPCRELX:
    return 4;
  default:
    return 0;
  }
}

void Reader::hashTarget(HashBuilder &h, const LibraryReloc &r) const {
  const LibrarySymbol &s = library.symbols[r.symbol];
  h.u64(r.offset).u64(r.type);
  if (s.unit == noUnit) {
    h.str(s.name).u64(s.special).u64(s.special == SHN_ABS ? s.value : 0);
    h.u64(r.addend);
    return;
  }
  const LibraryUnit &to = library.units[s.unit];
  if (s.isLocal() &&
      hashPiece(h, to, s.value + uint64_t(r.addend) + bias(r.type)))
    return;
  if (s.type() != STT_SECTION && !s.name.empty() && !isLabel(s)) {
    h.u8(s.isLocal()).str(stableName(s)).u64(r.addend);
    return;
  }
  uint64_t offset = s.value + uint64_t(r.addend);
  if (!to.symbols.empty()) {
    const LibrarySymbol &first = library.symbols[to.symbols.front()];
    h.u8(first.isLocal()).str(stableName(first)).u64(offset - first.value);
    return;
  }
  h.str(withoutNumbers(to.section))
      .u64(to.bytes)
      .hash(bodies[s.unit - firstUnit])
      .u64(offset);
}

void Reader::hashUnit(LibraryUnit &u) const {
  HashBuilder who, what;
  who.str(withoutNumbers(u.section));
  for (uint32_t id : u.symbols) {
    const LibrarySymbol &s = library.symbols[id];
    who.u8(s.isLocal()).str(stableName(s));
    what.u64(s.info).u64(s.other).u64(s.value).u64(s.size);
  }
  u.who = who.finish();
  what.hash(u.who).u64(u.type).u64(u.flags).u64(u.align).u64(u.entsize);
  what.u64(u.bytes).raw(u.content);
  for (const LibraryReloc &r : u.relocs)
    hashTarget(what, r);
  u.what = what.finish();
}

} // namespace

Expected<Library> Library::read(MemoryBufferRef file) {
  auto fail = [&](const Twine &text) {
    return bad(file.getBufferIdentifier() + ": " + text);
  };
  Library library;
  Reader reader(library);
  switch (identify_magic(file.getBuffer())) {
  case file_magic::elf_relocatable:
    if (Error e = reader.addObject("", file))
      return fail(toString(std::move(e)));
    return library;
  case file_magic::archive:
    break;
  default:
    return fail("neither an object file nor an archive of them");
  }

  Expected<std::unique_ptr<Archive>> archive = Archive::create(file);
  if (!archive)
    return fail(toString(archive.takeError()));
  if ((*archive)->isThin())
    return fail("a thin archive; a delta needs one that holds its members");
  Error failure = Error::success();
  for (const Archive::Child &c : (*archive)->children(failure)) {
    Expected<StringRef> name = c.getName();
    if (!name) {
      consumeError(std::move(failure));
      return fail(toString(name.takeError()));
    }
    Expected<MemoryBufferRef> member = c.getMemoryBufferRef();
    Error e = member ? reader.addObject(*name, *member) : member.takeError();
    if (e) {
      consumeError(std::move(failure));
      return bad(file.getBufferIdentifier() + "(" + *name +
                 "): " + toString(std::move(e)));
    }
  }
  if (failure)
    return fail(toString(std::move(failure)));
  return library;
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

namespace {

class Comparison {
public:
  Comparison(const Library &b, const Library &n)
      : base(b), next(n), baseOf(n.units.size(), noUnit),
        nextOf(b.units.size(), noUnit) {}

  LibraryChanges run(StringRef baseName);

private:
  using Key = function_ref<std::optional<Hash128>(const Library &,
                                                  const LibraryUnit &)>;
  size_t pair(Key key);
  void compareSpecials(LibraryChanges &c) const;
  void bury(LibraryChanges &c, StringRef baseName) const;

  const Library &base, &next;
  std::vector<uint32_t> baseOf, nextOf;
  std::vector<bool> asIs; ///< by base unit: same or moved
};

// Pairs units that nobody has yet and whose keys are equal, in their order.
size_t Comparison::pair(Key key) {
  DenseMap<Hash128, SmallVector<uint32_t, 1>> waiting;
  for (size_t i = base.units.size(); i-- != 0;)
    if (nextOf[i] == noUnit)
      if (auto k = key(base, base.units[i]))
        waiting[*k].push_back(i);
  size_t pairs = 0;
  for (size_t i = 0; i != next.units.size(); ++i) {
    if (baseOf[i] != noUnit)
      continue;
    auto k = key(next, next.units[i]);
    auto it = k ? waiting.find(*k) : waiting.end();
    if (it == waiting.end() || it->second.empty())
      continue;
    baseOf[i] = it->second.pop_back_val();
    nextOf[baseOf[i]] = i;
    ++pairs;
  }
  return pairs;
}

LibraryChanges Comparison::run(StringRef baseName) {
  auto inMember = [](const Library &l, const LibraryUnit &u, const Hash128 &h) {
    return HashBuilder().str(l.members[u.member]).hash(h).finish();
  };
  LibraryChanges c;
  c.same = pair([&](const Library &l, const LibraryUnit &u) {
    return std::optional(inMember(l, u, u.what));
  });
  c.moved = pair([&](const Library &, const LibraryUnit &u) {
    return std::optional(u.what);
  });
  for (uint32_t partner : nextOf)
    asIs.push_back(partner != noUnit);
  std::vector<bool> nextAsIs;
  for (uint32_t partner : baseOf)
    nextAsIs.push_back(partner != noUnit);

  pair([&](const Library &l, const LibraryUnit &u) {
    return std::optional(inMember(l, u, u.who));
  });
  pair([&](const Library &, const LibraryUnit &u) {
    return u.symbols.empty() ? std::nullopt : std::optional(u.who);
  });
  pair([&](const Library &l, const LibraryUnit &u) {
    return std::optional(inMember(l, u, hashBytes(u.section)));
  });
  for (size_t i = 0; i != next.units.size(); ++i)
    if (!nextAsIs[i])
      (baseOf[i] == noUnit ? c.added : c.changed).push_back(i);
  for (size_t i = 0; i != base.units.size(); ++i)
    if (nextOf[i] == noUnit)
      c.removed.push_back(i);
  compareSpecials(c);
  bury(c, baseName);
  return c;
}

// Absolute and common symbols belong to no unit.
void Comparison::compareSpecials(LibraryChanges &c) const {
  auto key = [](const LibrarySymbol &s) {
    return HashBuilder()
        .str(s.name)
        .u64(s.special)
        .u64(s.info)
        .u64(s.value)
        .u64(s.size)
        .finish();
  };
  auto isSpecial = [](const LibrarySymbol &s) {
    return s.unit == noUnit && s.special != SHN_UNDEF && s.type() != STT_FILE &&
           !s.name.empty();
  };
  DenseSet<Hash128> known;
  for (const LibrarySymbol &s : base.symbols)
    if (isSpecial(s))
      known.insert(key(s));
  for (size_t i = 0; i != next.symbols.size(); ++i)
    if (isSpecial(next.symbols[i]) && known.insert(key(next.symbols[i])).second)
      c.symbols.push_back(i);
}

void Comparison::bury(LibraryChanges &c, StringRef baseName) const {
  auto isLasting = [](const LibrarySymbol &s) {
    return s.isDefined() && !s.name.empty() && s.type() != STT_SECTION &&
           s.type() != STT_FILE && !isLabel(s);
  };
  auto memberOf = [&](const Library &l, uint32_t member) {
    return l.members[member].empty() ? baseName : StringRef(l.members[member]);
  };
  auto fullName = [&](const Library &l, const LibrarySymbol &s) {
    return s.isLocal() ? (memberOf(l, s.member) + ":" + s.name).str()
                       : s.name.str();
  };
  StringSet<> alive;
  for (const LibrarySymbol &s : next.symbols)
    if (isLasting(s))
      alive.insert(fullName(next, s));
  auto add = [&](std::string line) {
    if (alive.insert(line).second) // once
      c.tombstones.push_back(std::move(line));
  };
  for (const LibrarySymbol &s : base.symbols)
    if (isLasting(s) && !(s.isLocal() && s.unit != noUnit && asIs[s.unit]))
      add(fullName(base, s));
  for (uint32_t u : c.removed)
    if (base.units[u].symbols.empty() && base.units[u].bytes)
      add((memberOf(base, base.units[u].member) + ":" + base.units[u].section)
              .str());
}

} // namespace

LibraryChanges compareLibraries(const Library &base, const Library &next,
                                StringRef baseName) {
  return Comparison(base, next).run(baseName);
}

} // namespace spacer
