//===- AtlasCheck.cpp - everything that can be wrong with an atlas --------===//
//
// The promises that every link relies on, checked row by row:
//  1. SQLite finds the file in order.
//  2. Extents tile what is used of each part: no gap, no overlap.
//  3. Units, places and slots lie inside the used part of their region, and no
//     address has two meanings. A unit may lie inside a place (it is what the
//     named object holds in some image), and an entry slot is the first byte of
//     a unit; thread-local units have offsets and no address.
//  4. Every used text page has its variant 0, variants are numbered without
//     gaps, and every hash is that of its content.
//  5. Packs hold what the rows say, in the same order.
//
//===----------------------------------------------------------------------===//

#include "Atlas.h"
#include "AtlasPack.h"
#include "Placement.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace spacer {

namespace {

/// An address range that means one thing.
struct Claim {
  uint64_t begin, end;
  const char *what;
  std::string name;

  std::string describe() const {
    return formatv("{0} {1} [{2:x}, {3:x})", what,
                   name.empty() ? "(anonymous)" : name, begin, end);
  }
};

class Checker {
public:
  explicit Checker(Atlas &atlas) : atlas(atlas) {}
  Expected<std::vector<std::string>> run();

  std::vector<std::string> problems;

private:
  void checkExtents();
  Error checkRows();
  void checkOverlaps();
  Error checkPages();
  Error checkPacks();
  template <class Row>
  void compare(const char *what, const std::vector<Row> &rows,
               const std::vector<Row> &packed);
  void add(Region r, Claim c, std::vector<Claim> &list);
  void checkLibrary(uint32_t library, const Claim &c) {
    if (library >= libraryCount)
      report("{0}: library {1} is not in the library table", c.describe(),
             library);
  }
  template <class... Ts> void report(const char *form, Ts &&...vs) {
    problems.push_back(formatv(form, std::forward<Ts>(vs)...));
  }

  Atlas &atlas;
  uint64_t libraryCount = 0;
  std::vector<Claim> units, places, slots, entries;
};

} // namespace

static bool byBegin(const Claim &a, const Claim &b) {
  return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
}

void Checker::add(Region r, Claim c, std::vector<Claim> &list) {
  if (!atlas.region(r).gave(c.begin, c.end))
    report("{0}: outside the used parts of the {1} region", c.describe(),
           regionName(r));
  if (c.begin < c.end)
    list.push_back(std::move(c));
}

void Checker::checkExtents() {
  for (unsigned i = 0; i != regionCount; ++i) {
    StringRef name = regionName(Region(i));
    const RegionState &s = atlas.region(Region(i));
    for (const RegionPart &p : s.parts) {
      uint64_t at = p.range.base;
      for (const ExtentRow &e :
           atlas.extents(Region(i), p.range.base, p.end())) {
        if (e.base != at)
          report("{0} extent {1:x} {2} {3:x}, where the one before it ends",
                 name, e.base,
                 e.base < at ? "begins before" : "leaves a gap after", at);
        if (e.base % pageBytes || e.bytes % pageBytes || !e.bytes)
          report("{0} extent {1:x}: {2} bytes, expected whole pages", name,
                 e.base, e.bytes);
        at = std::max(at, e.base + e.bytes);
      }
      if (at != p.next)
        report("{0} extents end at {1:x}, the used pages of their part at "
               "{2:x}",
               name, at, p.next);
    }
    for (const ExtentRow &e : atlas.extents(Region(i)))
      if (!s.partAt(e.base))
        report("{0} extent {1:x}: in no part of its region", name, e.base);
  }
}

Error Checker::checkRows() {
  if (Error e = atlas.forEachUnit([&](const UnitRow &u) {
        Claim c{u.address, u.address + u.bytes, "unit",
                u.name.empty() ? u.identity.hex() : u.name};
        checkLibrary(u.library, c);
        if (u.kind != UnitKind::Tls)
          add(regionOf(u.kind), std::move(c), units);
      }))
    return e;
  DenseMap<Hash128, uint32_t> generations;
  if (Error e = atlas.forEachPlace([&](const PlaceRow &p) {
        Claim c{p.address, p.address + p.capacity, "place", p.name};
        checkLibrary(p.library, c);
        if (uint32_t expected = generations[p.key]++; p.generation != expected)
          report("{0}: generation {1}, expected {2}", c.describe(),
                 p.generation, expected);
        if (p.align == 0 || p.address % p.align)
          report("{0}: not aligned to {1}", c.describe(), p.align);
        if (p.kind != UnitKind::Tls)
          add(regionOf(p.kind), std::move(c), places);
      }))
    return e;
  return atlas.forEachSlot([&](const SlotRow &s) {
    bool entry = s.kind == SlotKind::Entry;
    Claim c{s.address, s.address + s.bytes, "slot", s.name};
    checkLibrary(s.library, c);
    add(entry                     ? Region::Text
        : s.kind == SlotKind::Got ? Region::Got
                                  : Region::Door,
        std::move(c), entry ? entries : slots);
  });
}

void Checker::checkOverlaps() {
  for (auto *list : {&units, &places, &slots, &entries})
    llvm::sort(*list, byBegin);
  // An old entry is a jump now, but its unit is still recorded there.
  for (const Claim &e : entries) {
    auto it = llvm::lower_bound(
        units, e, [](auto &a, auto &b) { return a.begin < b.begin; });
    if (it == units.end() || it->begin != e.begin)
      report("{0}: an entry slot, but no unit begins there", e.describe());
  }
  std::vector<Claim> all = slots;
  all.insert(all.end(), places.begin(), places.end());
  for (Claim &u : units) {
    auto it = llvm::upper_bound(
        places, u, [](auto &a, auto &b) { return a.begin < b.begin; });
    if (it == places.begin() || std::prev(it)->end < u.end)
      all.push_back(std::move(u));
  }
  llvm::sort(all, byBegin);
  size_t widest = 0;
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i].begin < all[widest].end)
      report("{0} overlaps {1}", all[i].describe(), all[widest].describe());
    if (all[i].end > all[widest].end)
      widest = i;
  }
}

Error Checker::checkPages() {
  uint64_t lastAddress = 0;
  uint32_t nextVariant = 0;
  DenseSet<uint64_t> textPages; // that have a variant 0
  if (Error e = atlas.forEachPage([&](uint64_t address, const PageVariant &v) {
        if (address != lastAddress)
          nextVariant = 0;
        if (v.variant != nextVariant)
          report("page {0:x}: variant {1}, expected {2}", address, v.variant,
                 nextVariant);
        nextVariant = v.variant + 1;
        lastAddress = address;
        if (v.content.size() != pageBytes)
          report("page {0:x} variant {1}: {2} bytes, expected {3}", address,
                 v.variant, v.content.size(), pageBytes);
        if (Hash128 h = hashBytes(v.content); h != v.hash)
          report("page {0:x} variant {1}: hash {2}, its content has {3}",
                 address, v.variant, v.hash.hex(), h.hex());
        bool inside = false;
        for (unsigned i = 0; i != regionCount; ++i)
          inside |= atlas.region(Region(i)).gave(address, address + 1);
        if (!inside || address % pageBytes)
          report("page {0:x}: outside the used parts of every region", address);
        if (v.variant == 0)
          textPages.insert(address);
      }))
    return e;
  for (const RegionPart &p : atlas.region(Region::Text).parts)
    for (uint64_t at = p.range.base; at < p.next; at += pageBytes)
      if (!textPages.contains(at))
        report("text page {0:x}: no variant 0", at);
  return Error::success();
}

template <class Row>
void Checker::compare(const char *what, const std::vector<Row> &rows,
                      const std::vector<Row> &packed) {
  if (rows.size() != packed.size())
    report("packs have {0} {1}, expected {2}", packed.size(), what,
           rows.size());
  else if (auto at = std::mismatch(rows.begin(), rows.end(), packed.begin());
           at.first != rows.end())
    report("packs: row {0} of the {1} is not as the table says",
           at.first - rows.begin() + 1, what);
}

Error Checker::checkPacks() {
  Pack rows, packs;
  Expected<bool> found = atlas.readPacks(packs);
  if (!found) {
    problems.push_back(toString(found.takeError()));
    return Error::success();
  }
  if (!*found)
    return Error::success();
  if (Error e = atlas.forEachUnit(
          [&](const UnitRow &u) { rows.units.push_back(pack(u)); }))
    return e;
  if (Error e = atlas.forEachSlot(
          [&](const SlotRow &s) { rows.slots.push_back(pack(s)); }))
    return e;
  if (Error e = atlas.forEachPage([&](uint64_t a, const PageVariant &v) {
        if (v.variant == 0)
          rows.pages.push_back({a, v.hash});
      }))
    return e;
  llvm::sort(packs.pages, [](const PackedPage &a, const PackedPage &b) {
    return a.address < b.address;
  });
  compare("units", rows.units, packs.units);
  compare("slots", rows.slots, packs.slots);
  compare("pages", rows.pages, packs.pages);
  return Error::success();
}

Expected<std::vector<std::string>> Checker::run() {
  Expected<AtlasCounts> counts = atlas.counts();
  if (!counts)
    return counts.takeError();
  libraryCount = counts->libraries + 1;
  checkExtents();
  if (Error e = checkRows())
    return e;
  checkOverlaps();
  if (Error e = checkPages())
    return e;
  if (Error e = checkPacks())
    return e;
  return std::move(problems);
}

Expected<std::vector<std::string>> Atlas::check() {
  Checker checker(*this);
  if (Error e = integrityCheck(checker.problems))
    return e;
  // Rows of a file that SQLite itself finds broken mean nothing.
  if (!checker.problems.empty())
    return std::move(checker.problems);
  return checker.run();
}

} // namespace spacer
