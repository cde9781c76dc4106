//===- Plan.cpp - one placement for several images at once ----------------===//
//
//  1. Units with one identity are one item, named objects with one place are
//     one item, as large and as aligned as in any image.
//  2. In each region items lie in this order:
//       - those that the caller wants first (PlanOptions::turns): scattered,
//         they make a guest that starts touch more pages. Functions are then in
//         their order, inside a set of images as below;
//       - those aligned to more than a cache line, largest alignment first:
//         anywhere else each costs up to a page of padding;
//       - by the set of images that use them, those that all use first: units
//         used together lie together, and what one image alone uses is out of
//         the others' way. Sets are not rounded up to pages. Inside a set of
//         functions the hot ones come first, then library after library; data
//         goes by alignment, which leaves no gaps;
//       - named objects whose content varies. Their pages have a content for
//         each image anyway, the other pages then have one;
//       - line tables, a library's within one page.
//     Gaps before large alignments are filled with small units of a set that
//     has the page anyway: any other would bring it into more images.
//  3. A function that is nothing but one function, and that no measured profile
//     calls hot, stands at a multiple of 2, or of 8 if a pointer to it leads
//     there, where compilers ask for 16: that padding is all of the loss once
//     pages are full (2% of Unikraft's text).
//  4. Slots: doors of small libraries and behind them all that lead elsewhere
//     in some image, so that few pages have several contents; doors of large
//     libraries; doors into the image.
//
// Images are told apart by what they have, so neither their names nor their
// order decides a place. PlanGain.cpp says what the plan is worth.
//
// Cost: sorting, n log n. 31,291 units of five images take a fifth of a second,
// half of it to read them.
//
//===----------------------------------------------------------------------===//

#include "Plan.h"
#include "Arch/X86_64.h"
#include "Names.h"
#include "PlanItems.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <map>

using namespace llvm;

namespace spacer {

namespace {

constexpr uint64_t cacheLine = 64;

class Planner {
public:
  Planner(ArrayRef<PlanImage> i, const PlanOptions &o) : images(i), opts(o) {}
  Expected<Plan> run();

private:
  Error checkImages() const;
  void orderImages();
  void collectItems();
  void collectSlots();
  void rankSets();
  void placeRegion(Region r);
  void put(Item &item, uint64_t offset);
  Item *takeThatFits(std::map<uint64_t, std::vector<Item *>> &bySize,
                     uint64_t begin, uint64_t end);
  void placeTls();
  void placeSlots();
  void describeGroups();
  uint32_t turnOf(StringRef name) const;
  uint64_t alignOf(const Item &i) const {
    bool loose = i.unit->kind == UnitKind::Text && i.align == 16 && i.plain &&
                 !i.measuredHot;
    if (!loose)
      return i.align;
    return i.seen ? std::max<uint64_t>(opts.functionAlign, x86_64::slotBytes)
                  : opts.functionAlign;
  }

  ArrayRef<PlanImage> images;
  const PlanOptions &opts;
  PlanItems all;
  std::vector<uint32_t> &order = all.order;
  std::vector<Item> &items = all.items;
  std::vector<SlotItem> &slots = all.slots;
  std::vector<BitVector> sets;
  Plan plan;
};

} // namespace

Error Planner::checkImages() const {
  for (const PlanImage &i : images) {
    const PlanImage &first = images.front();
    if (i.machine != first.machine)
      return createStringError("%s: made for ELF machine %u, expected %u as %s",
                               i.name.c_str(), i.machine, first.machine,
                               first.name.c_str());
    if (i.window.has_value() != first.window.has_value() ||
        (i.window && (i.window->base != first.window->base ||
                      i.window->bytes != first.window->bytes)))
      return createStringError("%s: another window than %s; give all links the "
                               "same --spacer-window, or the plan --window",
                               i.name.c_str(), first.name.c_str());
  }
  return Error::success();
}

// By content: a digest of all that decides a place.
void Planner::orderImages() {
  std::vector<std::pair<Hash128, uint32_t>> byDigest;
  for (uint32_t i = 0; i != images.size(); ++i) {
    std::vector<Hash128> all;
    for (const PlanUnit &u : images[i].units)
      all.push_back(HashBuilder()
                        .hash(u.key)
                        .hash(u.identity)
                        .fixed({u.bytes, u.align, uint64_t(u.isPrivate)})
                        .finish());
    for (const PlanSlot &s : images[i].slots)
      all.push_back(HashBuilder().hash(s.key).hash(s.target).finish());
    llvm::sort(all);
    HashBuilder h;
    for (const Hash128 &digest : all)
      h.hash(digest);
    byDigest.push_back({h.finish(), i});
  }
  llvm::sort(byDigest); // equal ones have the same in them
  for (auto &[digest, i] : byDigest)
    order.push_back(i);
}

uint32_t Planner::turnOf(StringRef name) const {
  if (name.empty() || opts.turns.empty())
    return noTurn;
  name = withoutNumbers(name.split('#').first);
  auto it = opts.turns.find(name);
  if (it == opts.turns.end())
    it = opts.turns.find(name.rsplit(':').second);
  return it == opts.turns.end() ? noTurn : it->second;
}

void Planner::collectItems() {
  auto smaller = [](const PlanUnit &a, const PlanUnit &b) {
    return std::tie(a.library, a.name, a.identity) <
           std::tie(b.library, b.name, b.identity);
  };
  for (uint32_t at = 0; at != order.size(); ++at)
    for (const PlanUnit &u : images[order[at]].units) {
      if (u.isPrivate)
        continue;
      auto [it, isNew] = all.itemOf.try_emplace(keyOf(u), items.size());
      if (isNew) {
        Item &item = items.emplace_back();
        item.unit = &u;
        item.images.resize(order.size());
      }
      Item &item = items[it->second];
      if (smaller(u, *item.unit))
        item.unit = &u;
      item.bytes = std::max(item.bytes, u.bytes);
      item.align = std::max(item.align, u.align);
      item.plain &= u.plainFunction;
      item.seen |= u.taken;
      item.turn = std::min(item.turn, turnOf(u.name));
      item.varies |= u.unstable;
      bool known = llvm::any_of(
          item.contents, [&](auto &c) { return c.second == u.identity; });
      item.varies |= !known && !item.contents.empty();
      if (!known)
        item.distinctBytes += u.bytes;
      if (!item.images.test(at))
        item.contents.push_back({at, u.identity});
      item.images.set(at);
    }
}

// An entry is cheap only while its function is the same everywhere; what
// differs between known images gets a door.
void Planner::collectSlots() {
  for (uint32_t at = 0; at != order.size(); ++at)
    for (const PlanSlot &s : images[order[at]].slots) {
      auto [it, isNew] = all.slotItemOf.try_emplace(s.key, slots.size());
      if (isNew) {
        SlotItem &item = slots.emplace_back();
        item.slot = &s;
        item.target = s.target;
        item.images.resize(order.size());
      }
      SlotItem &item = slots[it->second];
      if (std::tie(s.library, s.name) <
          std::tie(item.slot->library, item.slot->name))
        item.slot = &s;
      item.images.set(at);
      item.varies |= s.target != item.target;
      item.intoImage |= s.target.isZero();
      item.mayBeEntry &= s.mayBeEntry;
      item.settled &= s.kind == SlotKind::Entry;
      item.measuredHot |= s.measuredHot;
      item.turn = std::min(item.turn, turnOf(s.name));
      item.entry |= s.kind == SlotKind::Entry || s.hot;
    }
  for (SlotItem &s : slots) {
    s.kind = s.slot->kind == SlotKind::Got ? SlotKind::Got : SlotKind::Door;
    auto target = all.itemOf.find(s.target);
    if (s.kind == SlotKind::Got || target == all.itemOf.end())
      continue;
    Item &function = items[target->second];
    function.measuredHot |= s.measuredHot;
    if (!s.entry)
      continue;
    function.hot = true;
    if (!s.mayBeEntry || s.varies || s.intoImage)
      continue;
    s.kind = SlotKind::Entry;
    function.seen = true;
    if (s.settled)
      function.entryBytes = s.slot->bytes;
  }
}

// Sets of images that all use come first, then those of fewer.
void Planner::rankSets() {
  auto words = [](const BitVector &b) {
    return std::vector<uint64_t>(b.getData().begin(), b.getData().end());
  };
  auto before = [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first > b.first : a.second > b.second;
  };
  std::map<std::pair<unsigned, std::vector<uint64_t>>, uint32_t,
           decltype(before)>
      ranks(before);
  auto rankOf = [&](const BitVector &b) -> uint32_t & {
    return ranks[{b.count(), words(b)}];
  };
  for (const Item &i : items)
    rankOf(i.images);
  uint32_t next = 0;
  for (auto &[set, rank] : ranks)
    rank = next++;
  sets.resize(next);
  for (Item &i : items) {
    i.set = rankOf(i.images);
    sets[i.set] = i.images;
  }
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

static uint64_t capacityOf(const Item &i) {
  uint64_t bytes =
      i.unit->named && i.unit->kind == UnitKind::Bss && i.bytes >= 64
          ? i.bytes + i.bytes / 2
          : i.bytes;
  return std::max({bytes, i.entryBytes, uint64_t(1)});
}

void Planner::put(Item &item, uint64_t offset) {
  item.offset = offset;
  bool loosened = offset % item.align;
  plan.loosened += loosened;
  plan.units.push_back({item.unit, offset, item.capacity,
                        loosened ? alignOf(item) : item.align,
                        item.images.count(), item.varies, loosened});
}

// The largest item that lies between \p begin and \p end, or null; the first
// in order of those as large. What is placed already leaves the lists here.
Item *Planner::takeThatFits(std::map<uint64_t, std::vector<Item *>> &bySize,
                            uint64_t begin, uint64_t end) {
  auto it = bySize.upper_bound(end - begin);
  while (it != bySize.begin()) {
    auto &[size, list] = *--it;
    llvm::erase_if(list, [](Item *i) { return i->placed; });
    for (Item *i : llvm::reverse(list))
      if (alignTo(begin, alignOf(*i)) + size <= end) {
        i->placed = true;
        return i;
      }
  }
  return nullptr;
}

void Planner::placeRegion(Region r) {
  std::vector<Item *> here;
  for (Item &i : items)
    if (i.unit->kind != UnitKind::Tls && i.region() == r)
      here.push_back(&i);
  auto far = [](const Item &i) { return i.align > cacheLine ? i.align : 0; };
  auto order = [&](const Item *a, const Item *b) {
    const PlanUnit &x = *a->unit, &y = *b->unit;
    if (x.isLineTable != y.isLineTable)
      return y.isLineTable;
    if (a->varies != b->varies)
      return b->varies;
    if (x.isLineTable && x.library != y.library)
      return x.library < y.library;
    bool later = a->turn == noTurn;
    if (later != (b->turn == noTurn))
      return !later;
    if (far(*a) != far(*b))
      return far(*a) > far(*b);
    if (a->set != b->set)
      return a->set < b->set;
    if (r != Region::Text && a->align != b->align)
      return a->align > b->align;
    if (a->turn != b->turn)
      return a->turn < b->turn;
    if (a->hot != b->hot)
      return a->hot;
    return std::tie(x.library, x.name, x.identity) <
           std::tie(y.library, y.name, y.identity);
  };
  llvm::sort(here, order);

  auto tableBytes = [&](size_t i) {
    uint64_t bytes = 0;
    StringRef library = here[i]->unit->library;
    for (; i != here.size() && here[i]->unit->library == library; ++i)
      bytes = alignTo(bytes, here[i]->align) + here[i]->bytes;
    return bytes;
  };
  // What fills a gap must not bring the page into more images.
  std::vector<std::map<uint64_t, std::vector<Item *>>> bySize(sets.size());
  for (Item *i : llvm::reverse(here)) {
    i->capacity = capacityOf(*i);
    if (i->turn != noTurn) {
      ++plan.inTurn;
      plan.inTurnBytes += i->bytes;
    } else if (i->capacity <= pageBytes && !i->varies && !i->unit->isLineTable)
      bySize[i->set][i->capacity].push_back(i);
  }
  uint64_t end = 0;
  for (size_t i = 0; i != here.size(); ++i) {
    Item &item = *here[i];
    if (item.placed)
      continue;
    uint64_t begin = alignTo(end, alignOf(item));
    if (item.unit->isLineTable &&
        (!i || !here[i - 1]->unit->isLineTable ||
         here[i - 1]->unit->library != item.unit->library)) {
      uint64_t rest = alignTo(begin, pageBytes) - begin, bytes = tableBytes(i);
      if (bytes > rest && bytes <= pageBytes)
        begin += rest;
    }
    item.placed = true;
    bool isOnNewPage = i && begin % pageBytes == 0;
    uint32_t set = isOnNewPage ? here[i - 1]->set : item.set;
    while (Item *small = takeThatFits(bySize[set], end, begin)) {
      end = alignTo(end, alignOf(*small));
      put(*small, end);
      end += small->capacity;
    }
    put(item, begin);
    end = begin + item.capacity;
  }
  plan.bytes[unsigned(r)] = alignTo(end, pageBytes);
}

// Every thread of an image pays for the depth of the deepest object that the
// image has: those that all have first.
void Planner::placeTls() {
  std::vector<Item *> here;
  for (Item &i : items)
    if (i.unit->kind == UnitKind::Tls)
      here.push_back(&i);
  llvm::sort(here, [](const Item *a, const Item *b) {
    const PlanUnit &x = *a->unit, &y = *b->unit;
    if (a->set != b->set)
      return a->set < b->set;
    if (a->align != b->align)
      return a->align > b->align;
    return std::tie(x.library, x.name, x.key) <
           std::tie(y.library, y.name, y.key);
  });
  uint64_t depth = 0;
  for (Item *i : here) {
    depth = alignTo(depth + i->bytes, i->align);
    plan.tls.push_back(
        {i->unit, depth, i->bytes, i->align, i->images.count(), i->varies});
  }
}

void Planner::placeSlots() {
  std::map<std::string, std::vector<const SlotItem *>> groups;
  std::map<std::string, size_t> librarySlots;
  std::vector<const SlotItem *> got, unsettled;
  for (const SlotItem &s : slots)
    if (s.kind == SlotKind::Door && !s.varies && !s.intoImage)
      ++librarySlots[s.slot->library];
  for (const SlotItem &s : slots) {
    if (s.kind == SlotKind::Entry && s.settled)
      plan.slots.push_back(
          {s.slot, s.kind, items[all.itemOf.find(s.target)->second].offset});
    else if (s.kind == SlotKind::Entry)
      unsettled.push_back(&s);
    else if (s.kind == SlotKind::Got)
      got.push_back(&s);
    else if (s.intoImage)
      groups[imageDoors].push_back(&s);
    else if (!s.varies && librarySlots[s.slot->library] >= ownDoorSlots)
      groups[s.slot->library].push_back(&s);
    else
      groups[""].push_back(&s);
  }
  auto inOrder = [](const SlotItem *a, const SlotItem *b) {
    const PlanSlot &x = *a->slot, &y = *b->slot;
    bool movesA = a->varies || a->intoImage, movesB = b->varies || b->intoImage;
    return std::tie(movesA, a->turn, x.library, x.name, x.key) <
           std::tie(movesB, b->turn, y.library, y.name, y.key);
  };
  auto fill = [&](std::vector<const SlotItem *> &list, uint64_t &end) {
    llvm::sort(list, inOrder);
    for (const SlotItem *s : list) {
      end = alignTo(end, s->slot->bytes);
      plan.slots.push_back({s->slot, s->kind, end});
      end += s->slot->bytes;
    }
    end = alignTo(end, pageBytes);
  };
  uint64_t door = 0;
  // A library may not be called as the image's doors are: those come last.
  auto add = [&](const std::string &owner,
                 std::vector<const SlotItem *> &list) {
    uint64_t begin = door;
    fill(list, door);
    plan.doors.push_back({owner, door - begin});
  };
  for (auto &[owner, list] : groups)
    if (owner != imageDoors)
      add(owner, list);
  if (auto it = groups.find(imageDoors); it != groups.end())
    add(it->first, it->second);
  plan.bytes[unsigned(Region::Door)] = door;
  fill(got, plan.bytes[unsigned(Region::Got)]);
  // The function will get another identity: its place is not known yet. Until
  // then the entry stands for itself, where no other function does.
  fill(unsettled, plan.bytes[unsigned(Region::Text)]);
  plan.unsettled = unsettled.size();
  llvm::sort(plan.slots, [](const PlannedSlot &a, const PlannedSlot &b) {
    auto group = [](const PlannedSlot &s) {
      return s.kind == SlotKind::Entry ? 0 : s.kind == SlotKind::Door ? 1 : 2;
    };
    return std::make_tuple(group(a), a.offset) <
           std::make_tuple(group(b), b.offset);
  });
}

void Planner::describeGroups() {
  plan.groups.resize(sets.size());
  for (uint32_t s = 0; s != sets.size(); ++s) {
    for (unsigned i : sets[s].set_bits())
      plan.groups[s].images.push_back(order[i]);
    llvm::sort(plan.groups[s].images);
  }
  for (const Item &i : items)
    if (i.unit->kind != UnitKind::Tls &&
        (i.region() == Region::Text || i.region() == Region::Rodata)) {
      ++plan.groups[i.set].units;
      plan.groups[i.set].bytes += i.bytes;
    }
  llvm::erase_if(plan.groups, [](const PlanGroup &g) { return !g.units; });
}

Expected<Plan> Planner::run() {
  if (Error e = checkImages())
    return std::move(e);
  for (const PlanImage &i : images)
    llvm::append_range(plan.libraries, i.libraries);
  orderImages();
  collectItems();
  collectSlots();
  rankSets();
  for (unsigned r = 0; r != regionCount; ++r)
    if (Region(r) != Region::Door && Region(r) != Region::Got)
      placeRegion(Region(r));
  placeTls();
  placeSlots();
  countPages(images, all, plan);
  describeGroups();
  return std::move(plan);
}

Expected<Plan> makePlan(ArrayRef<PlanImage> images,
                        const PlanOptions &options) {
  return Planner(images, options).run();
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Error writePlan(const Plan &plan, Atlas &atlas,
                const DenseSet<Hash128> &leaveOut) {
  std::vector<StringRef> libraries(plan.libraries.begin(),
                                   plan.libraries.end());
  for (auto *list : {&plan.units, &plan.tls})
    for (const PlannedUnit &u : *list)
      libraries.push_back(u.unit->library);
  for (const PlannedSlot &s : plan.slots)
    libraries.push_back(s.slot->library);
  for (const PlannedDoors &d : plan.doors)
    libraries.push_back(d.owner);
  llvm::sort(libraries);
  for (StringRef name : libraries)
    atlas.libraryId(name);

  uint64_t base[regionCount] = {};
  for (unsigned r = 0; r != regionCount; ++r) {
    if (Region(r) == Region::Door || !plan.bytes[r])
      continue;
    Expected<uint64_t> at = atlas.allocate(Region(r), plan.bytes[r]);
    if (!at)
      return at.takeError();
    base[r] = *at;
  }
  // Doors of each owner are an extent, which may begin anywhere.
  std::map<uint64_t, uint64_t> doorBase; ///< by the offset of its first
  uint64_t door = 0;
  for (const PlannedDoors &d : plan.doors) {
    uint32_t owner = d.owner.empty() ? 0 : atlas.libraryId(d.owner);
    Expected<uint64_t> at = atlas.allocate(Region::Door, d.bytes, owner);
    if (!at)
      return at.takeError();
    doorBase[door] = *at;
    door += d.bytes;
  }
  auto slotAddress = [&](const PlannedSlot &s) {
    if (s.kind != SlotKind::Door)
      return s.offset + base[unsigned(s.kind == SlotKind::Entry ? Region::Text
                                                                : Region::Got)];
    auto it = std::prev(doorBase.upper_bound(s.offset));
    return it->second + (s.offset - it->first);
  };
  auto addUnit = [&](const PlannedUnit &p, uint64_t address) {
    const PlanUnit &u = *p.unit;
    if (leaveOut.contains(keyOf(u)))
      return;
    uint32_t library = atlas.libraryId(u.library);
    if (u.named)
      atlas.addPlace(
          {u.key, 0, u.kind, address, p.capacity, p.align, library, u.name});
    else
      atlas.addUnit({u.identity, u.kind, address, u.bytes, library, u.name});
  };
  for (const PlannedUnit &p : plan.units)
    addUnit(p, base[unsigned(regionOf(p.unit->kind))] + p.offset);
  for (const PlannedUnit &p : plan.tls)
    addUnit(p, -p.offset);
  for (const PlannedSlot &s : plan.slots) {
    if (leaveOut.contains(s.slot->key))
      continue;
    atlas.addSlot({s.slot->key, s.kind, slotAddress(s), s.slot->bytes,
                   atlas.libraryId(s.slot->library), s.slot->name});
  }
  return Error::success();
}

} // namespace spacer
