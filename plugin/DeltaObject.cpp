//===- DeltaObject.cpp - the ELF file around a delta's recipe -------------===//
//
// ELF header, section headers, section names, then the sections, the recipe
// last: the front tells a delta even when the file is cut short, and the recipe
// may refer to everything before it. Sections in the table:
//
//   1 .spacer.delta   2 .shstrtab   3 .symtab   4 .strtab   5 .symtab_shndx
//   [.spacer.tombstones]   for each unit: its section, [.rela<section>]
//
// A relocation's target that is not in the delta is an undefined symbol: by its
// name if it is global, as `member:name` if it is static, as `member:.section`
// if it has no name. COMDAT copies appear once. Groups and link order are left
// out: they say how to link, and linking is the recipe's business.
//
//===----------------------------------------------------------------------===//

#include "DeltaObject.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Support/Alignment.h"

using namespace llvm;
using namespace llvm::ELF;
using namespace llvm::object;

namespace spacer {
namespace {

constexpr uint32_t noUnit = LibrarySymbol::noUnit;
enum : uint32_t {
  DeltaIndex = 1,
  ShstrtabIndex,
  SymtabIndex,
  StrtabIndex,
  ShndxIndex,
  FirstFree
};

/// A string table; equal strings have one place.
class Strings {
public:
  Strings() : bytes(1, '\0') {}
  uint32_t add(StringRef s) {
    auto [it, isNew] = offsets.try_emplace(s, bytes.size());
    if (isNew && !s.empty()) {
      bytes += s;
      bytes += '\0';
    }
    return s.empty() ? 0 : it->second;
  }
  std::string bytes;

private:
  StringMap<uint32_t> offsets;
};

struct Section {
  ELF64LE::Shdr header{};
  std::string bytes;
};

} // namespace

struct DeltaObject::Impl {
  Impl(const Library &n) : next(n), sections(FirstFree) {}

  void chooseUnits(const LibraryChanges &changes);
  void addTombstones(ArrayRef<std::string> names);
  void addUnits();
  void addSymbols(ArrayRef<uint32_t> specials);
  void addRelocs();
  void layOut();
  uint32_t symbolFor(const LibraryReloc &r, int64_t &addend);
  uint32_t addGlobal(StringRef name, const ELF64LE::Sym &sym, uint32_t section);
  uint32_t addSymbol(StringRef name, ELF64LE::Sym sym, uint32_t section);
  ELF64LE::Shdr &add(StringRef name, uint32_t type, uint64_t align,
                     std::string bytes);
  std::string memberPrefix(uint32_t member) const;

  const Library &next;
  std::vector<std::pair<uint32_t, DeltaUnitState>> units;
  std::vector<DeltaUnitState> states;
  DenseMap<uint32_t, uint32_t> sectionOf;       ///< by unit
  DenseMap<uint32_t, uint32_t> symbolOf;        ///< by library symbol
  DenseMap<uint32_t, uint32_t> sectionSymbolOf; ///< by unit
  StringMap<uint32_t> globals;
  std::vector<ELF64LE::Sym> symtab;
  std::vector<ELF64LE::Word> shndx;
  bool needsShndx = false;
  Strings names, titles;
  std::vector<Section> sections;
  std::string carried;
  uint64_t carriedOffset = 0;
};

// Changed and new units in the library's order; of equal COMDAT copies one.
void DeltaObject::Impl::chooseUnits(const LibraryChanges &changes) {
  for (uint32_t u : changes.changed)
    units.push_back({u, DeltaUnitState::Changed});
  for (uint32_t u : changes.added)
    units.push_back({u, DeltaUnitState::New});
  llvm::sort(units);
  DenseSet<Hash128> seen;
  llvm::erase_if(units, [&](auto &p) {
    const LibraryUnit &u = next.units[p.first];
    return (u.flags & SHF_GROUP) && !u.symbols.empty() &&
           !seen.insert(u.what).second;
  });
}

ELF64LE::Shdr &DeltaObject::Impl::add(StringRef name, uint32_t type,
                                      uint64_t align, std::string bytes) {
  Section &s = sections.emplace_back();
  s.header.sh_name = titles.add(name);
  s.header.sh_type = type;
  s.header.sh_addralign = align;
  s.header.sh_size = bytes.size();
  s.bytes = std::move(bytes);
  return s.header;
}

void DeltaObject::Impl::addTombstones(ArrayRef<std::string> list) {
  std::string bytes;
  for (const std::string &line : list)
    bytes += line + '\0';
  if (!bytes.empty())
    add(tombstonesSectionName, SHT_PROGBITS, 1, std::move(bytes));
}

void DeltaObject::Impl::addUnits() {
  for (auto [id, state] : units) {
    const LibraryUnit &u = next.units[id];
    sectionOf[id] = sections.size();
    states.push_back(state);
    ELF64LE::Shdr &h =
        add(u.section, u.type, u.align, toStringRef(u.content).str());
    h.sh_flags = u.flags & ~uint64_t(SHF_GROUP | SHF_LINK_ORDER);
    h.sh_entsize = u.entsize;
    h.sh_size = u.bytes;
    if (!u.relocs.empty()) // filled by addRelocs()
      add((".rela" + u.section).str(), SHT_RELA, 8, "");
  }
}

std::string DeltaObject::Impl::memberPrefix(uint32_t member) const {
  return next.members[member].empty() ? "" : next.members[member] + ":";
}

uint32_t DeltaObject::Impl::addSymbol(StringRef name, ELF64LE::Sym sym,
                                      uint32_t section) {
  sym.st_name = names.add(name);
  bool wide = section >= SHN_LORESERVE && sym.st_shndx != SHN_ABS &&
              sym.st_shndx != SHN_COMMON;
  if (section)
    sym.st_shndx = wide ? uint32_t(SHN_XINDEX) : section;
  needsShndx |= wide;
  symtab.push_back(sym);
  shndx.push_back(ELF64LE::Word(wide ? section : 0));
  return symtab.size() - 1;
}

uint32_t DeltaObject::Impl::addGlobal(StringRef name, const ELF64LE::Sym &sym,
                                      uint32_t section) {
  auto [it, isNew] = globals.try_emplace(name, symtab.size());
  return isNew ? addSymbol(name, sym, section) : it->second;
}

static ELF64LE::Sym symbolBytes(const LibrarySymbol &s) {
  ELF64LE::Sym sym{};
  sym.st_info = s.info;
  sym.st_other = s.other;
  sym.st_value = s.value;
  sym.st_size = s.size;
  sym.st_shndx = s.special;
  return sym;
}

// Local symbols, then global ones, as ELF wants. A section has a symbol of its
// own if a relocation may need it.
void DeltaObject::Impl::addSymbols(ArrayRef<uint32_t> specials) {
  addSymbol("", ELF64LE::Sym{}, 0);
  auto forEach = [&](bool local, auto &&visit) {
    for (auto [unit, state] : units)
      for (uint32_t id : next.units[unit].symbols)
        if (next.symbols[id].isLocal() == local)
          visit(id, sectionOf[unit]);
    for (uint32_t id : specials)
      if (next.symbols[id].isLocal() == local)
        visit(id, 0);
  };
  for (auto [unit, state] : units) {
    ELF64LE::Sym sym{};
    sym.st_info = STT_SECTION;
    sectionSymbolOf[unit] = addSymbol("", sym, sectionOf[unit]);
  }
  forEach(true, [&](uint32_t id, uint32_t section) {
    const LibrarySymbol &s = next.symbols[id];
    symbolOf[id] = addSymbol(s.name, symbolBytes(s), section);
  });
  sections[SymtabIndex].header.sh_info = symtab.size();
  // Weak definitions in two members: the first one stands for both.
  forEach(false, [&](uint32_t id, uint32_t section) {
    const LibrarySymbol &s = next.symbols[id];
    symbolOf[id] = addGlobal(s.name, symbolBytes(s), section);
  });
}

// The symbol in the delta for a relocation's target; a static target by its
// place in a section becomes the name of what is there.
uint32_t DeltaObject::Impl::symbolFor(const LibraryReloc &r, int64_t &addend) {
  if (auto it = symbolOf.find(r.symbol); it != symbolOf.end())
    return it->second;
  const LibrarySymbol &s = next.symbols[r.symbol];
  addend = r.addend;
  ELF64LE::Sym undefined{};
  undefined.st_info = (s.binding() == STB_WEAK ? STB_WEAK : STB_GLOBAL) << 4;
  if (s.type() == STT_TLS)
    undefined.st_info = undefined.st_info | STT_TLS;
  if (!s.isLocal())
    return addGlobal(s.name, undefined, 0);
  if (s.name.empty() && s.unit == noUnit)
    return 0;
  if (s.unit != noUnit)
    if (auto it = sectionSymbolOf.find(s.unit); it != sectionSymbolOf.end()) {
      addend += s.value;
      return it->second;
    }
  if (s.type() != STT_SECTION && !s.name.empty() && !s.name.starts_with(".L"))
    return addGlobal(memberPrefix(s.member) + s.name.str(), undefined, 0);
  if (s.unit == noUnit)
    return 0; // of a section without SHF_ALLOC
  const LibraryUnit &to = next.units[s.unit];
  if (!to.symbols.empty() && !(to.flags & SHF_MERGE)) {
    const LibrarySymbol &first = next.symbols[to.symbols.front()];
    addend += s.value - first.value;
    return addGlobal(first.isLocal() ? memberPrefix(s.member) + first.name.str()
                                     : first.name.str(),
                     undefined, 0);
  }
  addend += s.value;
  return addGlobal(memberPrefix(s.member) + to.section.str(), undefined, 0);
}

void DeltaObject::Impl::addRelocs() {
  for (auto [id, state] : units) {
    const LibraryUnit &u = next.units[id];
    if (u.relocs.empty())
      continue;
    uint32_t section = sectionOf[id];
    std::string &bytes = sections[section + 1].bytes;
    for (const LibraryReloc &r : u.relocs) {
      ELF64LE::Rela rela{};
      int64_t addend = r.addend;
      uint32_t symbol = symbolFor(r, addend);
      rela.r_offset = r.offset;
      rela.setSymbolAndType(symbol, r.type, false);
      rela.r_addend = addend;
      bytes.append(reinterpret_cast<char *>(&rela), sizeof rela);
    }
    ELF64LE::Shdr &h = sections[section + 1].header;
    h.sh_size = bytes.size();
    h.sh_flags = SHF_INFO_LINK;
    h.sh_link = SymtabIndex;
    h.sh_info = section;
    h.sh_entsize = sizeof(ELF64LE::Rela);
  }
}

void DeltaObject::Impl::layOut() {
  auto set = [&](uint32_t index, StringRef name, uint32_t type, uint64_t align,
                 uint64_t entsize, std::string bytes) -> ELF64LE::Shdr & {
    Section &s = sections[index];
    s.header.sh_name = titles.add(name);
    s.header.sh_type = type;
    s.header.sh_addralign = align;
    s.header.sh_entsize = entsize;
    s.header.sh_size = bytes.size();
    s.bytes = std::move(bytes);
    return s.header;
  };
  auto raw = [](auto &v) {
    return std::string(reinterpret_cast<const char *>(v.data()),
                       v.size() * sizeof v[0]);
  };
  set(DeltaIndex, deltaSectionName, SHT_PROGBITS, 8, 0, "");
  set(SymtabIndex, ".symtab", SHT_SYMTAB, 8, sizeof(ELF64LE::Sym), raw(symtab))
      .sh_link = StrtabIndex;
  set(StrtabIndex, ".strtab", SHT_STRTAB, 1, 0, names.bytes);
  if (needsShndx)
    set(ShndxIndex, ".symtab_shndx", SHT_SYMTAB_SHNDX, 4, 4, raw(shndx))
        .sh_link = SymtabIndex;
  else // a place that nothing needs
    set(ShndxIndex, "", SHT_NULL, 0, 0, "");
  titles.add(".shstrtab");
  set(ShstrtabIndex, ".shstrtab", SHT_STRTAB, 1, 0, titles.bytes);

  uint64_t at = sizeof(ELF64LE::Ehdr) + sections.size() * sizeof(ELF64LE::Shdr);
  sections[ShstrtabIndex].header.sh_offset = at;
  at += sections[ShstrtabIndex].bytes.size();
  carriedOffset = at;
  auto place = [&](Section &s) {
    uint64_t align = std::clamp<uint64_t>(s.header.sh_addralign, 1, 16);
    at = alignTo(at, align);
    s.header.sh_offset = at;
    carried.resize(at - carriedOffset);
    carried += s.bytes;
    at += s.bytes.size();
  };
  for (size_t i = FirstFree; i != sections.size(); ++i)
    place(sections[i]);
  for (uint32_t i : {SymtabIndex, StrtabIndex, ShndxIndex})
    if (sections[i].header.sh_type)
      place(sections[i]);
  carried.resize(alignTo(at, 8) - carriedOffset);
}

DeltaObject::DeltaObject(const Library &next, const LibraryChanges &changes)
    : impl(std::make_unique<Impl>(next)) {
  impl->chooseUnits(changes);
  impl->addTombstones(changes.tombstones);
  impl->addUnits();
  impl->addSymbols(changes.symbols);
  impl->addRelocs();
  impl->layOut();
}

DeltaObject::~DeltaObject() = default;

ArrayRef<DeltaUnitState> DeltaObject::states() const { return impl->states; }
StringRef DeltaObject::carried() const { return impl->carried; }
uint64_t DeltaObject::carriedOffset() const { return impl->carriedOffset; }
uint64_t DeltaObject::deltaOffset() const {
  return impl->carriedOffset + impl->carried.size();
}

std::string DeltaObject::finish(StringRef delta) {
  std::vector<Section> &sections = impl->sections;
  sections[DeltaIndex].header.sh_offset = deltaOffset();
  sections[DeltaIndex].header.sh_size = delta.size();
  ELF64LE::Ehdr e{};
  memcpy(e.e_ident, ElfMagic, 4);
  e.e_ident[EI_CLASS] = ELFCLASS64;
  e.e_ident[EI_DATA] = ELFDATA2LSB;
  e.e_ident[EI_VERSION] = EV_CURRENT;
  e.e_type = ET_REL;
  e.e_machine = impl->next.machine;
  e.e_version = EV_CURRENT;
  e.e_ehsize = sizeof e;
  e.e_shoff = sizeof e;
  e.e_shentsize = sizeof(ELF64LE::Shdr);
  e.e_shstrndx = ShstrtabIndex;
  if (sections.size() < SHN_LORESERVE)
    e.e_shnum = sections.size();
  else
    sections[0].header.sh_size = sections.size();

  std::string file(reinterpret_cast<char *>(&e), sizeof e);
  for (Section &s : sections)
    file.append(reinterpret_cast<char *>(&s.header), sizeof s.header);
  file += sections[ShstrtabIndex].bytes;
  file += impl->carried;
  file += delta;
  return file;
}

} // namespace spacer
