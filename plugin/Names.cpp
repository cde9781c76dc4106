//===- Names.cpp - qualified names of local symbols and units -------------===//

#include "Names.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"

using namespace llvm;

namespace spacer {

StringRef withoutNumbers(StringRef name) {
  for (;;) {
    auto [stem, tail] = name.rsplit('.');
    if (stem.empty() || tail.empty() || stem.size() == name.size() ||
        !llvm::all_of(tail, isDigit))
      return name;
    name = stem;
  }
}

uint64_t numericSuffix(StringRef name) {
  uint64_t number = 0;
  StringRef rest = name.drop_front(withoutNumbers(name).size());
  while (!rest.empty()) {
    rest.consume_front(".");
    uint64_t part = 0;
    if (rest.consumeInteger(10, part))
      break;
    number = number * 1000003 + part + 1;
  }
  return number;
}

std::string FileNames::qualify(StringRef symbol) const {
  std::string base = withoutNumbers(symbol).str();
  bool isLastOfSeveral = files.size() > 1 && current == files.size();
  if (current == 0 || current > files.size() || isLastOfSeveral)
    return ":" + base; // as no global symbol is named
  return files[current - 1] + ":" + base;
}

void NameTable::add(const void *symbol, uint32_t library, std::string name,
                    uint64_t number, ArrayRef<uint8_t> content,
                    StringRef neighbour) {
  bySymbol[symbol] = entries.size();
  entries.push_back(
      {symbol, library, std::move(name), number, content, neighbour});
}

void NameTable::propose(uint32_t unit, uint64_t offset, unsigned binding,
                        std::string name, const void *local) {
  unsigned rank = binding == ELF::STB_GLOBAL ? 0
                  : binding == ELF::STB_WEAK ? 1
                                             : 2;
  Proposal p{offset, rank, std::move(name), local};
  auto [it, isNew] = proposals.try_emplace(unit, p);
  if (!isNew &&
      std::tie(p.offset, p.rank, p.name) <
          std::tie(it->second.offset, it->second.rank, it->second.name))
    it->second = std::move(p);
}

// Namesakes after the first get #1, #2, ...
void NameTable::settle() {
  std::vector<uint32_t> order(entries.size());
  for (uint32_t i = 0; i != order.size(); ++i)
    order[i] = i;
  llvm::sort(order, [&](uint32_t a, uint32_t b) {
    const Entry &x = entries[a], &y = entries[b];
    return std::tie(x.library, x.name, x.number) <
           std::tie(y.library, y.name, y.number);
  });
  for (size_t i = 0; i != order.size();) {
    size_t end = i + 1;
    auto same = [&](size_t j) {
      return entries[order[j]].library == entries[order[i]].library &&
             entries[order[j]].name == entries[order[i]].name;
    };
    while (end != order.size() && same(end))
      ++end;
    if (end - i > 1) {
      std::vector<std::tuple<uint64_t, Hash128, StringRef, uint32_t>> group;
      for (size_t j = i; j != end; ++j) {
        const Entry &e = entries[order[j]];
        group.push_back(
            {e.number, hashBytes(e.content), e.neighbour, order[j]});
      }
      llvm::sort(group);
      for (size_t k = 1; k != group.size(); ++k)
        entries[std::get<3>(group[k])].name += "#" + std::to_string(k);
    }
    i = end;
  }
}

StringRef NameTable::nameOf(const void *symbol) const {
  auto it = bySymbol.find(symbol);
  return it == bySymbol.end() ? StringRef() : entries[it->second].name;
}

void NameTable::nameUnits(Model &model) const {
  std::vector<uint32_t> named;
  for (auto &[unit, p] : proposals) {
    Unit &u = model.units[unit];
    u.name = p.local ? nameOf(p.local).str() : p.name;
    u.named = u.kind != UnitKind::Text && u.kind != UnitKind::String;
    named.push_back(unit);
  }
  // Two weak definitions of one object may both be live.
  auto key = [&](uint32_t u) {
    const Unit &x = model.units[u];
    return std::make_tuple(x.kind, x.library, StringRef(x.name));
  };
  llvm::sort(named, [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  for (size_t i = 0; i != named.size();) {
    size_t end = i + 1;
    while (end != named.size() && key(named[end]) == key(named[i]))
      ++end;
    if (end - i > 1) {
      llvm::sort(named.begin() + i, named.begin() + end,
                 [&](uint32_t a, uint32_t b) {
                   return hashBytes(model.units[a].content) <
                          hashBytes(model.units[b].content);
                 });
      for (size_t k = i + 1; k != end; ++k)
        model.units[named[k]].name += "#" + std::to_string(k - i);
    }
    i = end;
  }
}

} // namespace spacer
