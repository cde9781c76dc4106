//===- Plan.cpp - one placement for several images at once ----------------===//
//
//  1. Units with one identity are one item, named objects with one place are
//     one item, as large and as aligned as in any image.
//  2. In each region items lie in this order:
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
//  3. A function that is not hot and is nothing but one function stands at a
//     multiple of 8, where compilers ask for 16: half of the padding, which is
//     what all of the loss is once pages are full (2% of Unikraft's text).
//  4. Slots: doors of small libraries, of large ones, of the image; inside
//     each those that lead to one unit in all images first.
//
// Images are told apart by what they have, so neither their names nor their
// order decides a place. The same sums over first-come order (firstCome()) say
// what the plan is worth.
//
// Cost: sorting, n log n. 31,291 units of five images take a fifth of a second,
// half of it to read them.
//
//===----------------------------------------------------------------------===//

#include "Plan.h"
#include "Placement.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <map>

using namespace llvm;

namespace spacer {

namespace {

constexpr uint64_t cacheLine = 64;

/// What has one place in all images: a unit, or all contents of an object.
struct Item {
  const PlanUnit *unit = nullptr; ///< the smallest, to be the same always
  uint64_t bytes = 0, align = 1;
  uint64_t entryBytes = 0;    ///< room that its entry slot needs
  uint64_t distinctBytes = 0; ///< of all its contents
  uint64_t firstBytes = 0;    ///< in the first image that has it
  BitVector images;           ///< in canonical order
  bool varies = false, hot = false, plain = true, placed = false;
  uint32_t set = 0; ///< rank of `images`
  uint64_t offset = 0, capacity = 0;
  /// The content in each image that has it, if it varies.
  SmallVector<std::pair<uint32_t, Hash128>, 0> contents;

  Region region() const { return regionOf(unit->kind); }
  bool loose() const {
    return unit->kind == UnitKind::Text && align == 16 && plain && !hot;
  }
};

/// All slots of one key.
struct SlotItem {
  const PlanSlot *slot = nullptr;
  BitVector images;
  Hash128 target;
  bool varies = false;    ///< leads elsewhere in some image
  bool intoImage = false; ///< is the image's own in some image
  bool entry = false, mayBeEntry = true;
  SlotKind kind = SlotKind::Door;
};

Hash128 keyOf(const PlanUnit &u) { return u.named ? u.key : u.identity; }

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
  void countPages();
  void countFirstCome();
  void countFirstComeDoors();
  uint64_t contentsOf(ArrayRef<const Item *> items, Region region,
                      function_ref<uint64_t(const Item &)> address) const;
  void describeGroups();
  uint64_t alignOf(const Item &i) const {
    return i.loose() ? std::min(i.align, opts.functionAlign) : i.align;
  }

  ArrayRef<PlanImage> images;
  const PlanOptions &opts;
  std::vector<uint32_t> order; ///< canonical: indices into images
  std::vector<Item> items;
  DenseMap<Hash128, uint32_t> itemOf;
  std::vector<SlotItem> slots;
  DenseMap<Hash128, uint32_t> slotItemOf;
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
                               "same --spacer-window",
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

void Planner::collectItems() {
  auto smaller = [](const PlanUnit &a, const PlanUnit &b) {
    return std::tie(a.library, a.name, a.identity) <
           std::tie(b.library, b.name, b.identity);
  };
  for (uint32_t at = 0; at != order.size(); ++at)
    for (const PlanUnit &u : images[order[at]].units) {
      if (u.isPrivate)
        continue;
      auto [it, isNew] = itemOf.try_emplace(keyOf(u), items.size());
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
      auto [it, isNew] = slotItemOf.try_emplace(s.key, slots.size());
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
      item.entry |= s.kind == SlotKind::Entry || s.hot;
    }
  DenseSet<Hash128> entered;
  // Of several entries into one function the smallest key has it.
  std::vector<SlotItem *> byKey;
  for (SlotItem &s : slots)
    byKey.push_back(&s);
  llvm::sort(byKey,
             [](auto *a, auto *b) { return a->slot->key < b->slot->key; });
  for (SlotItem *s : byKey) {
    s->kind = s->slot->kind == SlotKind::Got ? SlotKind::Got : SlotKind::Door;
    auto target = itemOf.find(s->target);
    if (s->entry && target != itemOf.end())
      items[target->second].hot = true;
    if (s->kind == SlotKind::Got || !s->entry || !s->mayBeEntry || s->varies ||
        s->intoImage || target == itemOf.end() ||
        !entered.insert(s->target).second)
      continue;
    s->kind = SlotKind::Entry;
    items[target->second].entryBytes = s->slot->bytes;
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
    if (x.isLineTable && x.library != y.library)
      return x.library < y.library;
    if (a->varies != b->varies)
      return b->varies;
    if (far(*a) != far(*b))
      return far(*a) > far(*b);
    if (a->set != b->set)
      return a->set < b->set;
    if (r != Region::Text && a->align != b->align)
      return a->align > b->align;
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
  std::map<uint64_t, std::vector<Item *>> bySize;
  for (Item *i : llvm::reverse(here)) {
    i->capacity = capacityOf(*i);
    if (i->capacity <= pageBytes && !i->varies && !i->unit->isLineTable)
      bySize[i->capacity].push_back(i);
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
    while (Item *small = takeThatFits(bySize, end, begin)) {
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
  std::vector<const SlotItem *> got;
  auto own = [](const SlotItem &s) { return s.intoImage; };
  for (const SlotItem &s : slots)
    if (s.kind == SlotKind::Door && !own(s))
      ++librarySlots[s.slot->library];
  for (const SlotItem &s : slots) {
    if (s.kind == SlotKind::Entry)
      plan.slots.push_back(
          {s.slot, s.kind, items[itemOf.find(s.target)->second].offset});
    else if (s.kind == SlotKind::Got)
      got.push_back(&s);
    else if (own(s))
      groups[imageDoors].push_back(&s);
    else if (librarySlots[s.slot->library] >= ownDoorSlots)
      groups[s.slot->library].push_back(&s);
    else
      groups[""].push_back(&s);
  }
  auto inOrder = [](const SlotItem *a, const SlotItem *b) {
    const PlanSlot &x = *a->slot, &y = *b->slot;
    bool movesA = a->varies || a->intoImage, movesB = b->varies || b->intoImage;
    return std::tie(movesA, x.library, x.name, x.key) <
           std::tie(movesB, y.library, y.name, y.key);
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
  llvm::sort(plan.slots, [](const PlannedSlot &a, const PlannedSlot &b) {
    auto group = [](const PlannedSlot &s) {
      return s.kind == SlotKind::Entry ? 0 : s.kind == SlotKind::Door ? 1 : 2;
    };
    return std::make_tuple(group(a), a.offset) <
           std::make_tuple(group(b), b.offset);
  });
}

//===----------------------------------------------------------------------===//
// What it is worth
//===----------------------------------------------------------------------===//

static uint64_t pagesOf(uint64_t bytes) {
  return alignTo(bytes, pageBytes) / pageBytes;
}

// Contents of the pages of one region beyond the first of each: where objects
// vary, images that agree on all that they both have share one.
uint64_t
Planner::contentsOf(ArrayRef<const Item *> all, Region region,
                    function_ref<uint64_t(const Item &)> address) const {
  std::map<uint64_t, std::vector<const Item *>> byPage;
  for (const Item *i : all)
    if (i->varies && i->unit->kind != UnitKind::Tls && i->region() == region)
      for (uint64_t p = address(*i) / pageBytes;
           p <= (address(*i) + i->bytes - 1) / pageBytes; ++p)
        byPage[p].push_back(i);
  uint64_t more = 0;
  for (auto &[page, list] : byPage) {
    std::vector<DenseMap<const Item *, Hash128>> variants;
    for (uint32_t image = 0; image != order.size(); ++image) {
      DenseMap<const Item *, Hash128> mine;
      for (const Item *i : list)
        for (auto &[at, content] : i->contents)
          if (at == image)
            mine[i] = i->unit->unstable
                          ? HashBuilder().hash(content).u64(image).finish()
                          : content;
      if (mine.empty())
        continue;
      auto fits = [&](auto &variant) {
        return llvm::all_of(mine, [&](auto &entry) {
          auto it = variant.find(entry.first);
          return it == variant.end() || it->second == entry.second;
        });
      };
      auto it = llvm::find_if(variants, fits);
      if (it == variants.end())
        it = variants.insert(it, {});
      for (auto &entry : mine)
        it->insert(entry);
    }
    more += variants.size() - 1;
  }
  return more;
}

// Links append one after the other: in each region a fresh extent with what is
// new, by library (LinkerHooks and Placement do the same).
void Planner::countFirstCome() {
  std::vector<uint64_t> address(items.size());
  std::vector<bool> placed(items.size());
  uint64_t next[regionCount] = {};
  for (const PlanImage &image : images) {
    std::vector<std::pair<const PlanUnit *, uint32_t>> fresh[regionCount];
    for (const PlanUnit &u : image.units) {
      if (u.isPrivate || u.kind == UnitKind::Tls)
        continue;
      uint32_t i = itemOf.find(keyOf(u))->second;
      if (u.bytes > items[i].firstBytes && u.named)
        placed[i] = false; // outgrown: another place
      if (placed[i])
        continue;
      placed[i] = true;
      items[i].firstBytes =
          u.kind == UnitKind::Bss ? u.bytes + u.bytes / 2 : u.bytes;
      fresh[unsigned(regionOf(u.kind))].push_back({&u, i});
    }
    for (unsigned r = 0; r != regionCount; ++r) {
      llvm::sort(fresh[r], [&](auto &a, auto &b) {
        const PlanUnit &x = *a.first, &y = *b.first;
        if (x.unstable != y.unstable)
          return y.unstable;
        if (x.library != y.library)
          return x.library < y.library;
        if (Region(r) != Region::Text && x.align != y.align)
          return x.align > y.align;
        return std::tie(x.name, x.identity) < std::tie(y.name, y.identity);
      });
      for (auto &[u, i] : fresh[r]) {
        next[r] = alignTo(next[r], u->align);
        address[i] = next[r];
        next[r] += std::max<uint64_t>(items[i].firstBytes, 1);
      }
      next[r] = alignTo(next[r], pageBytes);
    }
  }
  std::vector<const Item *> all;
  for (const Item &i : items)
    all.push_back(&i);
  auto at = [&](const Item &i) { return address[&i - items.data()]; };
  auto count = [&](Region r) {
    return next[unsigned(r)] / pageBytes + contentsOf(all, r, at);
  };
  plan.text.firstCome = count(Region::Text);
  plan.rodata.firstCome = count(Region::Rodata);
  plan.data.firstCome = count(Region::Data);
}

// Doors as Placement gives them: shared ones in fresh pages for each link,
// owners' behind their last one. A page with slots that lead elsewhere in some
// image counts once for each image that uses it.
void Planner::countFirstComeDoors() {
  DenseMap<Hash128, std::pair<std::string, uint64_t>> at; ///< group, offset
  std::map<std::string, uint64_t> end;
  std::map<std::string, bool> owns;
  for (const PlanImage &image : images) {
    std::map<std::string, std::vector<const PlanSlot *>> fresh;
    for (const PlanSlot &s : image.slots) {
      const SlotItem &item = slots[slotItemOf.find(s.key)->second];
      if (item.kind == SlotKind::Entry || at.count(s.key))
        continue;
      bool isGot = item.kind == SlotKind::Got;
      fresh[isGot               ? "\1got"
            : s.target.isZero() ? "\1image"
                                : s.library]
          .push_back(&s);
    }
    std::map<std::string, std::vector<const PlanSlot *>> groups;
    for (auto &[group, list] : fresh) {
      bool special = group[0] == '\1';
      bool own = special || owns[group] || list.size() >= ownDoorSlots;
      owns[group] |= own;
      auto &to = groups[own ? group : ""];
      to.insert(to.end(), list.begin(), list.end());
    }
    for (auto &[group, list] : groups) {
      uint64_t &e = end[group];
      if (group.empty() || group == "\1got")
        e = alignTo(e, pageBytes);
      for (const PlanSlot *s : list) {
        at[s->key] = {group, e};
        e += s->bytes;
      }
    }
  }
  auto pages =
      [&](bool got,
          function_ref<std::pair<std::string, uint64_t>(const SlotItem &)>
              where) {
        // What each image sees of each page that has slots which move.
        std::map<std::pair<std::string, uint64_t>,
                 std::map<uint32_t, std::vector<std::pair<Hash128, Hash128>>>>
            byPage;
        for (uint32_t i = 0; i != images.size(); ++i)
          for (const PlanSlot &s : images[i].slots) {
            const SlotItem &item = slots[slotItemOf.find(s.key)->second];
            if (item.kind == SlotKind::Entry ||
                (item.kind == SlotKind::Got) != got)
              continue;
            auto [group, offset] = where(item);
            auto &page = byPage[{group, offset / pageBytes}];
            Hash128 to =
                s.target.isZero() ? HashBuilder().u64(i).finish() : s.target;
            if (item.varies || item.intoImage)
              page[i].push_back({s.key, to});
          }
        uint64_t count = 0;
        for (auto &[page, seen] : byPage) {
          std::vector<DenseMap<Hash128, Hash128>> variants;
          for (auto &[image, mine] : seen) {
            auto it = llvm::find_if(variants, [&](auto &v) {
              return llvm::all_of(mine, [&](auto &m) {
                auto known = v.find(m.first);
                return known == v.end() || known->second == m.second;
              });
            });
            if (it == variants.end())
              it = variants.insert(it, {});
            for (auto &[key, to] : mine)
              (*it)[key] = to;
          }
          count += std::max<size_t>(variants.size(), 1);
        }
        return count;
      };
  DenseMap<Hash128, uint64_t> planned;
  for (const PlannedSlot &s : plan.slots)
    planned[s.slot->key] = s.offset;
  for (bool got : {false, true}) {
    PageCount &c = got ? plan.got : plan.door;
    c.firstCome = pages(
        got, [&](const SlotItem &s) { return at.find(s.slot->key)->second; });
    c.planned = pages(got, [&](const SlotItem &s) {
      return std::make_pair(std::string(), planned.find(s.slot->key)->second);
    });
  }
}

void Planner::countPages() {
  uint64_t bytes[regionCount] = {};
  for (const Item &i : items) {
    if (i.unit->kind == UnitKind::Tls)
      continue;
    bytes[unsigned(i.region())] += i.distinctBytes;
    if (i.varies) {
      ++plan.varying;
      plan.varyingBytes += i.bytes;
    }
  }
  std::vector<const Item *> all;
  for (const Item &i : items)
    all.push_back(&i);
  auto count = [&](PageCount &c, Region r) {
    c.ideal = pagesOf(bytes[unsigned(r)]);
    c.planned = plan.bytes[unsigned(r)] / pageBytes +
                contentsOf(all, r, [](const Item &i) { return i.offset; });
  };
  count(plan.text, Region::Text);
  count(plan.rodata, Region::Rodata);
  count(plan.data, Region::Data);
  countFirstCome();
  countFirstComeDoors();

  uint64_t doors = 0, got = 0, intoImage = 0;
  BitVector haveOwn(order.size());
  for (const SlotItem &s : slots) {
    if (s.kind == SlotKind::Entry)
      continue;
    (s.kind == SlotKind::Got ? got : doors) += s.slot->bytes;
    if (s.intoImage && s.kind == SlotKind::Door)
      haveOwn |= s.images;
  }
  intoImage = haveOwn.count();
  plan.door.ideal = std::max(pagesOf(doors), intoImage);
  plan.got.ideal = pagesOf(got);

  for (const PlanImage &image : images) {
    uint64_t own[regionCount] = {};
    for (const PlanUnit &u : image.units)
      if (u.isPrivate && u.kind != UnitKind::Bss && u.kind != UnitKind::Tls)
        own[unsigned(regionOf(u.kind))] += u.bytes;
    for (uint64_t b : own)
      plan.privatePages += {pagesOf(b), pagesOf(b), pagesOf(b)};
  }
  for (const Item &i : items)
    plan.grown +=
        i.unit->named && i.contents.size() > 1 && i.bytes > i.firstBytes;
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
  orderImages();
  collectItems();
  collectSlots();
  rankSets();
  for (unsigned r = 0; r != regionCount; ++r)
    if (Region(r) != Region::Door && Region(r) != Region::Got)
      placeRegion(Region(r));
  placeTls();
  placeSlots();
  countPages();
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
  std::vector<StringRef> libraries;
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
    base[r] = atlas.region(Region(r)).next;
    if (Region(r) == Region::Door)
      continue;
    Expected<uint64_t> at = atlas.allocate(Region(r), plan.bytes[r]);
    if (!at)
      return at.takeError();
  }
  for (const PlannedDoors &d : plan.doors) {
    uint32_t owner = d.owner.empty() ? 0 : atlas.libraryId(d.owner);
    if (Expected<uint64_t> at = atlas.allocate(Region::Door, d.bytes, owner);
        !at)
      return at.takeError();
  }
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
    Region r = s.kind == SlotKind::Entry ? Region::Text
               : s.kind == SlotKind::Got ? Region::Got
                                         : Region::Door;
    atlas.addSlot({s.slot->key, s.kind, base[unsigned(r)] + s.offset,
                   s.slot->bytes, atlas.libraryId(s.slot->library),
                   s.slot->name});
  }
  return Error::success();
}

} // namespace spacer
