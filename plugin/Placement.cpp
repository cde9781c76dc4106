//===- Placement.cpp - where units, slots and objects stand ---------------===//
//
// The first image decides and every later one follows: a unit whose identity
// the atlas knows stands where the atlas says; the rest is appended, library
// after library, in a fresh extent of whole pages for each region. A page is
// therefore filled by one link and never changes; libraries share pages,
// because most of them are small and rounding each up would cost more than all
// deltas together.
//
//  1. Slots. Known ones keep kind and address. A new one is an entry slot (the
//     function's first place itself: no cost per call, a patched page when the
//     function changes) if the mode asks for it or the profile says that the
//     function is hot, and if the function has one name and room for a jump;
//     otherwise a door slot.
//  2. Named objects. The first recorded place that is large enough; else a new
//     generation of the place, with room to grow where room is free (.bss).
//  3. Identities (Identity.cpp), which need 1 and 2.
//  4. Units: looked up by identity, else packed in a deterministic order.
//  5. Door slots, grouped by library, those that are still wanted.
//
// All choices depend on names and contents, never on the order of inputs.
//
//===----------------------------------------------------------------------===//

#include "Placement.h"
#include "Arch/X86_64.h"
#include "Identity.h"
#include "ImageCallers.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <set>

using namespace llvm;

namespace spacer {

Region regionOf(UnitKind kind) {
  switch (kind) {
  case UnitKind::Text:
    return Region::Text;
  case UnitKind::Rodata:
  case UnitKind::String:
    return Region::Rodata;
  case UnitKind::Bss:
    return Region::Bss;
  default:
    return Region::Data;
  }
}

namespace {

class Placer {
public:
  Placer(Model &m, Atlas &a)
      : model(m), atlas(a), frozen(a.mode() == AtlasMode::Frozen) {
    // New libraries get their ids by name, whatever order they came in.
    std::vector<StringRef> byName(m.libraries.begin(), m.libraries.end());
    llvm::sort(byName);
    if (!frozen)
      for (StringRef name : byName)
        a.libraryId(name);
    for (const std::string &name : m.libraries)
      libraryIds.push_back(frozen ? 0 : a.libraryId(name));
    for (Unit &u : model.units)
      if (u.named)
        u.place = placeKey(u.kind, model.libraries[u.library], u.name);
  }
  Expected<PlacementStats> run();

private:
  Error checkNames() const;
  void bindSlots();
  uint64_t heatThreshold(uint64_t Slot::*heat, double share) const;
  void bindEntries();
  void dropUnknownSlots();
  void bindPlaces();
  Error placeUnits();
  void placeTls(std::vector<uint32_t> &units);
  void addUnitRow(const Unit &u, uint64_t capacity);
  Expected<Window> changingTail();
  Error fillTail(std::vector<uint32_t> &units);
  uint64_t lineTableBytes(ArrayRef<uint32_t> units, size_t i) const;
  Error placeRegion(Region region, std::vector<uint32_t> &units);
  Error placeDoors();
  Error placeSlotGroup(Region region, ArrayRef<uint32_t> slots,
                       uint32_t library);
  void findWantedSlots();
  void addSlotRow(const Slot &slot);
  bool ownsDoors(uint32_t library) const;

  Model &model;
  Atlas &atlas;
  const bool frozen;
  std::vector<uint32_t> libraryIds;
  PlacementStats stats;
};

} // namespace

uint64_t estimatedHeat(uint64_t weight, uint64_t bytes) {
  // 16 * (1 + log2(1 + weight)), linear between powers of two: integers, so
  // that all machines agree.
  uint64_t w = weight + 1;
  unsigned log = Log2_64(w);
  uint64_t fraction = log >= 4 ? (w >> (log - 4)) & 15 : (w << (4 - log)) & 15;
  uint64_t magnitude = 16 * (1 + uint64_t(log)) + fraction;
  double size = double(std::max<uint64_t>(bytes, 16));
  return uint64_t(256.0 * double(magnitude * magnitude) /
                  std::sqrt(size * std::sqrt(size)));
}

// The heat from which on functions together take a share of all.
uint64_t Placer::heatThreshold(uint64_t Slot::*heat, double share) const {
  std::vector<uint64_t> found;
  uint64_t total = 0;
  for (const Slot &s : model.slots)
    if (s.*heat) {
      total += s.*heat;
      found.push_back(s.*heat);
    }
  llvm::sort(found, std::greater<>());
  uint64_t sum = 0;
  for (uint64_t h : found) {
    sum += h;
    if (double(sum) >= double(total) * share)
      return h;
  }
  return UINT64_MAX;
}

void Placer::bindSlots() {
  uint64_t hot = heatThreshold(&Slot::heat, hotShare);
  uint64_t likely = heatThreshold(&Slot::estimate, estimateShare);
  for (Slot &s : model.slots) {
    s.measuredHot = s.heat >= hot;
    s.hot = s.measuredHot || s.estimate >= likely;
    if (const SlotRow *row = atlas.findSlot(s.key)) {
      s.known = true;
      s.kind = row->kind;
      s.address = row->address;
      s.bytes = row->bytes;
      continue;
    }
    if (s.kind == SlotKind::Got)
      continue;
    bool wantEntry = model.trampolines == Trampolines::Entry ||
                     (model.trampolines == Trampolines::Auto && s.hot);
    s.kind = wantEntry && s.mayBeEntry ? SlotKind::Entry : SlotKind::Door;
  }
}

// Tells each function that owns an entry slot so. Of several slots that lead to
// one function the smallest key owns the entry; the others jump.
void Placer::bindEntries() {
  for (uint32_t i = 0; i != model.slots.size(); ++i) {
    Slot &s = model.slots[i];
    if (s.kind != SlotKind::Entry || s.unit == noUnit || s.unitOffset)
      continue;
    Unit &unit = model.units[s.unit];
    if (unit.entrySlot == noSlot || s.key < model.slots[unit.entrySlot].key)
      unit.entrySlot = i;
  }
  for (uint32_t i = 0; i != model.slots.size(); ++i) {
    Slot &s = model.slots[i];
    if (s.kind == SlotKind::Entry && !s.known &&
        (s.unit == noUnit || model.units[s.unit].entrySlot != i))
      s.kind = SlotKind::Door;
  }
}

// A frozen atlas gives no new slots: who would need one is private.
void Placer::dropUnknownSlots() {
  for (Unit &u : model.units)
    for (Ref &r : u.refs)
      if ((r.binding == Binding::Slot || r.binding == Binding::Got) &&
          !model.slots[r.target].known) {
        r.binding = Binding::Private;
        u.reason = "refers to a function that the frozen atlas lacks";
      }
}

void Placer::bindPlaces() {
  for (Unit &u : model.units) {
    if (!u.named || u.isPrivate)
      continue;
    ArrayRef<PlaceRow> rows = atlas.findPlaces(u.place);
    auto fits = llvm::find_if(rows, [&](const PlaceRow &p) {
      return p.capacity >= u.bytes && p.address % u.align == 0;
    });
    if (fits != rows.end()) {
      u.generation = fits->generation;
      u.address = fits->address;
    } else if (frozen) {
      u.isPrivate = true;
      u.reason = "an object that the frozen atlas lacks";
    } else {
      u.generation = rows.size();
    }
  }
}

Error Placer::placeUnits() {
  std::vector<uint32_t> fresh[regionCount], freshTls;
  for (uint32_t i = 0; i != model.units.size(); ++i) {
    Unit &u = model.units[i];
    if (u.isPrivate)
      continue;
    if (u.named) {
      if (u.address)
        ++stats.knownUnits;
      else
        (u.kind == UnitKind::Tls ? freshTls : fresh[unsigned(regionOf(u.kind))])
            .push_back(i);
      continue;
    }
    if (const UnitRow *row = atlas.findUnit(u.identity)) {
      u.address = row->address;
      ++stats.knownUnits;
    } else if (frozen) {
      u.isPrivate = true;
      u.reason = "new to the frozen atlas";
    } else {
      fresh[unsigned(regionOf(u.kind))].push_back(i);
    }
  }
  placeTls(freshTls);
  for (unsigned r = 0; r != regionCount; ++r)
    if (!fresh[r].empty())
      if (Error e = placeRegion(Region(r), fresh[r]))
        return e;
  return Error::success();
}

// Thread-local objects get offsets from the thread pointer, which is the end of
// the TLS block (TLS variant II): each new one lies below all known ones. Every
// thread of an image pays for the depth, so nothing is rounded.
void Placer::placeTls(std::vector<uint32_t> &units) {
  if (units.empty())
    return;
  llvm::sort(units, [&](uint32_t a, uint32_t b) {
    const Unit &x = model.units[a], &y = model.units[b];
    if (x.library != y.library)
      return model.libraries[x.library] < model.libraries[y.library];
    return x.align != y.align ? x.align > y.align : x.name < y.name;
  });
  uint64_t depth = atlas.tlsDepth();
  for (uint32_t i : units) {
    Unit &u = model.units[i];
    depth = alignTo(depth + u.bytes, u.align);
    u.address = -depth;
    atlas.addPlace({u.place, u.generation, u.kind, u.address, u.bytes, u.align,
                    libraryIds[u.library], u.name});
    ++stats.newPlaces;
    ++stats.newUnits;
    stats.newBytes += u.bytes;
  }
}

// Bytes of the line tables of one library from units[i] on, where they begin;
// 0 elsewhere.
uint64_t Placer::lineTableBytes(ArrayRef<uint32_t> units, size_t i) const {
  const Unit &first = model.units[units[i]];
  auto belongs = [&](uint32_t u) {
    return model.units[u].isLineTable &&
           model.units[u].library == first.library;
  };
  uint64_t bytes = 0;
  if (!i || !belongs(units[i - 1]))
    for (; i != units.size() && belongs(units[i]); ++i)
      bytes = alignTo(bytes, model.units[units[i]].align) +
              model.units[units[i]].bytes;
  return bytes;
}

// What is free behind changed line tables: their page gets a new content in any
// case, so more on it costs nothing. Tables stand last in their extent.
Expected<Window> Placer::changingTail() {
  std::set<uint64_t> changing; // pages
  for (const Unit &u : model.units) {
    uint64_t page = alignDown(u.address, pageBytes), offset = u.address - page;
    if (!u.isLineTable || !u.named || u.isPrivate || !u.address ||
        offset + u.bytes > pageBytes || changing.contains(page))
      continue;
    Expected<ArrayRef<PageVariant>> variants = atlas.pageVariants(page);
    if (!variants)
      return variants.takeError();
    if (llvm::none_of(*variants, [&](const PageVariant &v) {
          return !memcmp(v.content.data() + offset, u.content.data(), u.bytes);
        }))
      changing.insert(page);
  }
  Window tail{0, 0};
  for (uint64_t page : changing)
    for (const ExtentRow &e :
         atlas.extents(Region::Rodata, page, page + pageBytes)) {
      uint64_t end = e.base + e.bytes;
      if (end != page + pageBytes)
        continue;
      uint64_t used = atlas.unitsEnd(e.base, end);
      if (end - used > tail.bytes)
        tail = {used, end - used};
    }
  return tail;
}

// Takes from sorted units what fits there.
Error Placer::fillTail(std::vector<uint32_t> &units) {
  Expected<Window> tail = changingTail();
  if (!tail)
    return tail.takeError();
  uint64_t at = tail->base, end = at + tail->bytes;
  DenseMap<Hash128, uint64_t> seen;
  llvm::erase_if(units, [&](uint32_t i) {
    Unit &u = model.units[i];
    if (!u.named)
      if (auto it = seen.find(u.identity); it != seen.end()) {
        u.address = it->second;
        return true;
      }
    uint64_t address = alignTo(at, u.align);
    if (address + u.bytes > end)
      return false;
    if (!u.named)
      seen[u.identity] = address;
    at = address + std::max<uint64_t>(u.bytes, 1);
    u.address = address;
    addUnitRow(u, u.bytes);
    return true;
  });
  return Error::success();
}

void Placer::addUnitRow(const Unit &u, uint64_t capacity) {
  uint32_t library = libraryIds[u.library];
  if (u.named) {
    atlas.addPlace({u.place, u.generation, u.kind, u.address, capacity, u.align,
                    library, u.name});
    ++stats.newPlaces;
  } else if (!atlas.findUnit(u.identity)) {
    atlas.addUnit({u.identity, u.kind, u.address, u.bytes, library, u.name});
  }
  ++stats.newUnits;
  stats.newBytes += u.bytes;
}

Error Placer::placeRegion(Region region, std::vector<uint32_t> &units) {
  // Where order is free, large alignments first leave no gaps.
  bool byAlign = region != Region::Text;
  llvm::sort(units, [&](uint32_t a, uint32_t b) {
    const Unit &x = model.units[a], &y = model.units[b];
    if (x.unstable != y.unstable)
      return y.unstable;
    if (x.isLineTable != y.isLineTable)
      return y.isLineTable;
    if (x.library != y.library)
      return model.libraries[x.library] < model.libraries[y.library];
    if (byAlign && x.align != y.align)
      return x.align > y.align;
    if (x.name != y.name)
      return x.name < y.name;
    return x.identity < y.identity;
  });

  if (region == Region::Rodata)
    if (Error e = fillTail(units))
      return e;
  if (units.empty())
    return Error::success();

  // First offsets from the extent's start, which is page-aligned; then, when
  // the size is known, addresses. Equal identities stand once.
  std::vector<uint64_t> offset(units.size());
  std::vector<uint64_t> capacity(units.size());
  DenseMap<Hash128, uint32_t> seen;
  uint64_t end = 0;
  for (size_t i = 0; i != units.size(); ++i) {
    const Unit &u = model.units[units[i]];
    if (!u.named) {
      auto [it, isNew] = seen.try_emplace(u.identity, i);
      if (!isNew) {
        offset[i] = offset[it->second];
        continue;
      }
    }
    // Room to grow costs nothing where pages are zero.
    capacity[i] = u.kind == UnitKind::Bss && u.bytes >= 64
                      ? u.bytes + u.bytes / 2
                      : u.bytes;
    // An entry must have room for the jump of a later version.
    if (u.entrySlot != noSlot)
      capacity[i] =
          std::max<uint64_t>(capacity[i], model.slots[u.entrySlot].bytes);
    end = alignTo(end, u.align);
    if (u.isLineTable) {
      // Not over a page's end: an edit of one file then costs one page.
      uint64_t rest = alignTo(end, pageBytes) - end;
      uint64_t bytes = lineTableBytes(units, i);
      if (bytes > rest && bytes <= pageBytes)
        end += rest;
    }
    offset[i] = end;
    end += std::max<uint64_t>(capacity[i], 1);
  }
  Expected<uint64_t> base = atlas.allocate(region, alignTo(end, pageBytes));
  if (!base)
    return base.takeError();
  for (size_t i = 0; i != units.size(); ++i) {
    Unit &u = model.units[units[i]];
    u.address = *base + offset[i];
    addUnitRow(u, capacity[i]);
  }
  return Error::success();
}

void Placer::addSlotRow(const Slot &s) {
  atlas.addSlot(
      {s.key, s.kind, s.address, s.bytes, libraryIds[s.library], s.name});
  ++stats.newSlots;
}

// Slots of an owner go behind its last one, then into fresh pages: its pages
// have a content for each version or image anyway, so few full ones are better
// than many begun. Shared doors always get fresh pages, because earlier images
// keep theirs as they are.
Error Placer::placeSlotGroup(Region region, ArrayRef<uint32_t> slots,
                             uint32_t library) {
  if (slots.empty())
    return Error::success();
  uint64_t at = 0, end = 0;
  if (library)
    for (const ExtentRow &e : atlas.extents(region))
      if (e.library == library) {
        at = e.base;
        end = e.base + e.bytes;
      }
  if (end)
    at = atlas.slotsEnd(at, end);

  for (size_t i = 0; i != slots.size(); ++i) {
    Slot &s = model.slots[slots[i]];
    at = alignTo(at, s.bytes);
    if (at + s.bytes > end) {
      uint64_t bytes = 0;
      for (uint32_t j : slots.drop_front(i))
        bytes = alignTo(bytes, model.slots[j].bytes) + model.slots[j].bytes;
      bytes = alignTo(bytes, pageBytes);
      Expected<uint64_t> base = atlas.allocate(region, bytes, library);
      if (!base)
        return base.takeError();
      at = *base;
      end = at + bytes;
    }
    s.address = at;
    at += s.bytes;
    addSlotRow(s);
  }
  return Error::success();
}

// Whether the library has door pages of its own already.
bool Placer::ownsDoors(uint32_t library) const {
  return llvm::any_of(atlas.extents(Region::Door),
                      [&](const ExtentRow &e) { return e.library == library; });
}

// Slots that shared units refer to. Private code calls directly, and an address
// that only private code takes is the function's place.
void Placer::findWantedSlots() {
  for (const Unit &u : model.units)
    if (!u.isPrivate)
      for (const Ref &r : u.refs)
        if (r.binding == Binding::Slot || r.binding == Binding::Got)
          model.slots[r.target].wanted = true;
}

// New slots: first the shared doors of small libraries, then large libraries'
// own, last those that lead into the image itself and so differ by image.
Error Placer::placeDoors() {
  std::vector<std::vector<uint32_t>> byLibrary(model.libraries.size());
  std::vector<uint32_t> got, entries;
  for (uint32_t i = 0; i != model.slots.size(); ++i) {
    Slot &s = model.slots[i];
    if (s.known || !s.wanted)
      continue;
    if (s.kind == SlotKind::Entry) {
      const Unit &u = model.units[s.unit];
      if (!u.isPrivate) {
        s.address = u.address;
        entries.push_back(i);
        continue;
      }
      s.kind = SlotKind::Door;
    }
    if (s.kind == SlotKind::Got) {
      got.push_back(i);
      continue;
    }
    bool varies = s.unit == noUnit || model.units[s.unit].isPrivate;
    byLibrary[varies ? 0 : s.library].push_back(i);
  }
  auto inOrder = [&](uint32_t a, uint32_t b) {
    const Slot &x = model.slots[a], &y = model.slots[b];
    if (x.library != y.library)
      return model.libraries[x.library] < model.libraries[y.library];
    if (x.name != y.name)
      return x.name < y.name;
    return x.key < y.key;
  };
  llvm::sort(entries, inOrder);
  for (uint32_t i : entries)
    addSlotRow(model.slots[i]);
  std::vector<uint32_t> small;
  std::vector<std::pair<StringRef, uint32_t>> large;
  for (uint32_t lib = 1; lib < byLibrary.size(); ++lib) {
    if (!byLibrary[lib].empty() &&
        (byLibrary[lib].size() >= ownDoorSlots || ownsDoors(libraryIds[lib])))
      large.push_back({model.libraries[lib], lib});
    else
      small.insert(small.end(), byLibrary[lib].begin(), byLibrary[lib].end());
  }
  llvm::sort(large);
  llvm::sort(small, inOrder);
  if (Error e = placeSlotGroup(Region::Door, small, 0))
    return e;
  for (auto &[name, lib] : large) {
    llvm::sort(byLibrary[lib], inOrder);
    if (Error e = placeSlotGroup(Region::Door, byLibrary[lib], libraryIds[lib]))
      return e;
  }
  llvm::sort(byLibrary[0], inOrder);
  if (!byLibrary[0].empty())
    if (Error e = placeSlotGroup(Region::Door, byLibrary[0],
                                 atlas.libraryId(imageDoors)))
      return e;
  llvm::sort(got, inOrder);
  return placeSlotGroup(Region::Got, got, 0);
}

// Two functions under one slot would be called for each other, two objects at
// one place would be one.
Error Placer::checkNames() const {
  DenseMap<Hash128, uint32_t> places;
  for (uint32_t i = 0; i != model.units.size(); ++i) {
    const Unit &u = model.units[i];
    if (!u.named || u.isPrivate)
      continue;
    if (!places.try_emplace(u.place, i).second)
      return createStringError(
          "%s: two objects named %s in library '%s' (please report this)",
          atlas.path().c_str(), u.name.c_str(),
          model.libraries[u.library].c_str());
  }
  DenseMap<Hash128, uint32_t> seen;
  for (uint32_t i = 0; i != model.slots.size(); ++i) {
    auto [it, isNew] = seen.try_emplace(model.slots[i].key, i);
    if (!isNew)
      return createStringError(
          "%s: two functions named %s in library '%s' (please report this)",
          atlas.path().c_str(), model.slots[i].name.c_str(),
          model.libraries[model.slots[i].library].c_str());
  }
  return Error::success();
}

Expected<PlacementStats> Placer::run() {
  if (Error e = checkNames())
    return std::move(e);
  atlas.expect(model.units.size(), model.slots.size());
  bindSlots();
  bindEntries();
  if (frozen)
    dropUnknownSlots();
  bindPlaces();
  computeIdentities(model);
  keepImageCallersPrivate(model);
  if (Error e = placeUnits())
    return std::move(e);
  findWantedSlots();
  if (!frozen)
    if (Error e = placeDoors())
      return std::move(e);
  return stats;
}

Expected<PlacementStats> place(Model &model, Atlas &atlas) {
  return Placer(model, atlas).run();
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

namespace {

std::pair<Region, const RegionPart *> partAt(const Atlas &atlas,
                                             uint64_t address) {
  for (unsigned r = 0; r != regionCount; ++r)
    if (const RegionPart *part = atlas.region(Region(r)).partAt(address))
      return {Region(r), part};
  report_fatal_error(Twine(atlas.path()) + ": damaged: an address in no part "
                                            "of the window; see spacer atlas "
                                            "check",
                     /*gen_crash_diag=*/false);
}

// Joins runs of one part, where all pages were given out: across gaps of at
// most freeGap bytes in any case, then across the smallest ones, the lower of
// equal ones first, until no more than maxRuns are left or each part has one.
std::vector<Run> joinRuns(ArrayRef<Run> runs, uint64_t freeGap,
                          unsigned maxRuns, const Atlas &atlas) {
  auto gapBefore = [&](size_t i) -> std::optional<uint64_t> {
    const Run &a = runs[i - 1], &b = runs[i];
    if (a.region != b.region ||
        b.base >= atlas.region(a.region).partAt(a.base)->end())
      return std::nullopt;
    return b.base - (a.base + a.bytes);
  };
  size_t count = runs.size();
  std::vector<std::pair<uint64_t, size_t>> gaps; // bytes, run behind it
  std::vector<bool> joined(runs.size(), false);  // to the one before
  for (size_t i = 1; i < runs.size(); ++i)
    if (std::optional<uint64_t> gap = gapBefore(i)) {
      if (*gap <= freeGap) {
        joined[i] = true;
        --count;
      } else {
        gaps.push_back({*gap, i});
      }
    }
  llvm::sort(gaps);
  for (auto [bytes, i] : gaps) {
    if (count <= maxRuns)
      break;
    joined[i] = true;
    --count;
  }
  std::vector<Run> out;
  for (size_t i = 0; i != runs.size(); ++i)
    if (joined[i])
      out.back().bytes = runs[i].base + runs[i].bytes - out.back().base;
    else
      out.push_back(runs[i]);
  return out;
}

// Cuts door runs where the owner of the pages changes, so that a library's
// doors are a section of their own.
std::vector<Run> splitDoors(std::vector<Run> runs, Atlas &atlas) {
  std::vector<Run> out;
  for (Run &r : runs) {
    if (r.region != Region::Door) {
      out.push_back(std::move(r));
      continue;
    }
    uint64_t end = r.base + r.bytes;
    for (const ExtentRow &e : atlas.extents(Region::Door, r.base, end)) {
      uint64_t from = std::max(e.base, r.base);
      uint64_t to = std::min(e.base + e.bytes, end);
      std::string owner = e.library ? atlas.libraryName(e.library).str() : "";
      if (!out.empty() && out.back().region == Region::Door &&
          out.back().library == owner &&
          out.back().base + out.back().bytes == from)
        out.back().bytes += to - from;
      else
        out.push_back({Region::Door, from, to - from, owner});
    }
  }
  return out;
}

} // namespace

std::vector<Run> mapRuns(const Model &model, Atlas &atlas,
                         ArrayRef<uint32_t> usedSlots, unsigned maxRuns) {
  std::set<uint64_t> pages;
  auto use = [&](uint64_t address, uint64_t bytes) {
    uint64_t last =
        alignDown(address + std::max<uint64_t>(bytes, 1) - 1, pageBytes);
    for (uint64_t p = alignDown(address, pageBytes);; p += pageBytes) {
      pages.insert(p);
      if (p == last)
        break;
    }
  };
  for (const Unit &u : model.units)
    if (!u.isPrivate && u.kind != UnitKind::Tls)
      use(u.address, u.bytes);
  for (uint32_t i : usedSlots)
    use(model.slots[i].address, model.slots[i].bytes);

  std::vector<Run> runs;
  uint64_t partEnd = 0;
  for (uint64_t p : pages) {
    if (p < partEnd && runs.back().base + runs.back().bytes == p) {
      runs.back().bytes += pageBytes;
      continue;
    }
    auto [region, part] = partAt(atlas, p);
    runs.push_back({region, p, pageBytes, ""});
    partEnd = part->end();
  }
  return splitDoors(joinRuns(runs, 4 * pageBytes, maxRuns, atlas), atlas);
}

} // namespace spacer
