//===- PlanGain.cpp - what a plan is worth --------------------------------===//
//
// Three numbers of pages for the same images: as the plan has them, as links
// that come one after the other would (Placement.cpp's rules, without what only
// a link knows, such as pages that it fills up), and the fewest.
//
// A page counts once for each content. Contents differ where objects hold
// other values or slots lead elsewhere; images that agree on all that both have
// of a page share one, as PageImage.cpp finds it. Text has one content.
//
//===----------------------------------------------------------------------===//

#include "PlanItems.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace llvm;

namespace spacer {

static uint64_t pagesOf(uint64_t bytes) {
  return alignTo(bytes, pageBytes) / pageBytes;
}

namespace {

/// What images see on pages whose content may vary.
class Contents {
public:
  /// Image \p image has \p key with \p content on the pages of [at, at+bytes).
  void see(uint64_t at, uint64_t bytes, uint32_t image, const Hash128 &key,
           const Hash128 &content) {
    for (uint64_t p = at / pageBytes; p <= (at + bytes - 1) / pageBytes; ++p)
      pages[p][image].push_back({key, content});
  }
  /// How many contents there are beyond one for each page.
  uint64_t more() const {
    uint64_t n = 0;
    for (auto &[page, seen] : pages)
      n += countOf(seen) - 1;
    return n;
  }

private:
  using Seen = std::vector<std::pair<Hash128, Hash128>>;
  static uint64_t countOf(const std::map<uint32_t, Seen> &byImage) {
    std::vector<DenseMap<Hash128, Hash128>> contents;
    for (auto &[image, seen] : byImage) {
      auto it = llvm::find_if(contents, [&](auto &c) {
        return llvm::all_of(seen, [&](auto &s) {
          auto known = c.find(s.first);
          return known == c.end() || known->second == s.second;
        });
      });
      if (it == contents.end())
        it = contents.emplace(it);
      for (auto &s : seen)
        it->insert(s);
    }
    return contents.size();
  }
  std::map<uint64_t, std::map<uint32_t, Seen>> pages;
};

class Counter {
public:
  Counter(ArrayRef<PlanImage> i, const PlanItems &a, Plan &p)
      : images(i), all(a), plan(p) {}
  void run();

private:
  const Item &itemOf(const PlanUnit &u) const {
    return all.items[all.itemOf.find(keyOf(u))->second];
  }
  const SlotItem &itemOf(const PlanSlot &s) const {
    return all.slots[all.slotItemOf.find(s.key)->second];
  }
  uint64_t moreContents(Region r,
                        function_ref<uint64_t(const Item &)> at) const;
  uint64_t moreContents(SlotKind kind,
                        function_ref<uint64_t(const Hash128 &)> at) const;
  void countUnits(uint64_t PageCount::*how,
                  const uint64_t (&bytes)[regionCount],
                  function_ref<uint64_t(const Item &)> at);
  void countIdeal();
  void countPlanned();
  void firstComeUnits();
  void firstComeSlots();

  ArrayRef<PlanImage> images;
  const PlanItems &all;
  Plan &plan;
};

} // namespace

uint64_t Counter::moreContents(Region r,
                               function_ref<uint64_t(const Item &)> at) const {
  Contents contents;
  for (const Item &i : all.items)
    if (i.varies && i.unit->kind != UnitKind::Tls && i.region() == r &&
        r != Region::Bss)
      for (auto &[image, content] : i.contents) {
        // Bound to the image: as many contents as images.
        Hash128 own = HashBuilder().hash(content).u64(image).finish();
        contents.see(at(i), i.bytes, image, keyOf(*i.unit),
                     i.unit->unstable ? own : content);
      }
  return contents.more();
}

uint64_t
Counter::moreContents(SlotKind kind,
                      function_ref<uint64_t(const Hash128 &)> at) const {
  Contents contents;
  for (uint32_t image = 0; image != images.size(); ++image)
    for (const PlanSlot &s : images[image].slots) {
      const SlotItem &item = itemOf(s);
      if (item.kind == kind && (item.varies || item.intoImage))
        contents.see(at(s.key), s.bytes, image, s.key,
                     s.target.isZero() ? HashBuilder().u64(image).finish()
                                       : s.target);
    }
  return contents.more();
}

// As `spacer compare` has it: for each kind the bytes of all distinct units, in
// whole pages, and the pages of what is private.
void Counter::countIdeal() {
  uint64_t bytes[regionCount] = {}, doors = 0, got = 0;
  for (const Item &i : all.items) {
    if (i.unit->kind == UnitKind::Tls)
      continue;
    bytes[unsigned(i.region())] += i.distinctBytes;
    if (i.varies) {
      ++plan.varying;
      plan.varyingBytes += i.bytes;
    }
  }
  plan.text.ideal = pagesOf(bytes[unsigned(Region::Text)]);
  plan.rodata.ideal = pagesOf(bytes[unsigned(Region::Rodata)]);
  plan.data.ideal = pagesOf(bytes[unsigned(Region::Data)]);

  // A slot once for each place that it leads to.
  DenseSet<Hash128> seen;
  for (uint32_t i = 0; i != images.size(); ++i)
    for (const PlanSlot &s : images[i].slots) {
      SlotKind kind = itemOf(s).kind;
      Hash128 lead = HashBuilder()
                         .hash(s.key)
                         .hash(s.target)
                         .u64(s.target.isZero() ? i + 1 : 0)
                         .finish();
      if (kind != SlotKind::Entry && seen.insert(lead).second)
        (kind == SlotKind::Got ? got : doors) += s.bytes;
    }
  plan.door.ideal = pagesOf(doors);
  plan.got.ideal = pagesOf(got);

  for (const PlanImage &image : images) {
    uint64_t mine[regionCount] = {};
    for (const PlanUnit &u : image.units)
      if (u.isPrivate && u.kind != UnitKind::Bss && u.kind != UnitKind::Tls)
        mine[unsigned(regionOf(u.kind))] += u.bytes;
    for (uint64_t b : mine)
      plan.privatePages += {pagesOf(b), pagesOf(b), pagesOf(b)};
  }
}

// From the whole pages of each region and where in it an item lies.
void Counter::countUnits(uint64_t PageCount::*how,
                         const uint64_t (&bytes)[regionCount],
                         function_ref<uint64_t(const Item &)> at) {
  auto pages = [&](Region r) { return bytes[unsigned(r)] / pageBytes; };
  plan.text.*how = pages(Region::Text);
  plan.rodata.*how = pages(Region::Rodata) + moreContents(Region::Rodata, at);
  plan.data.*how = pages(Region::Data) + moreContents(Region::Data, at);
}

void Counter::countPlanned() {
  countUnits(&PageCount::planned, plan.bytes,
             [](const Item &i) { return i.offset; });
  auto pages = [&](Region r) { return plan.bytes[unsigned(r)] / pageBytes; };
  DenseMap<Hash128, uint64_t> offset;
  for (const PlannedSlot &s : plan.slots)
    offset[s.slot->key] = s.offset;
  auto slotAt = [&](const Hash128 &key) { return offset.lookup(key); };
  plan.door.planned =
      pages(Region::Door) + moreContents(SlotKind::Door, slotAt);
  plan.got.planned = pages(Region::Got) + moreContents(SlotKind::Got, slotAt);
}

// Each link appends what is new to it to each region, library after library, in
// whole pages; an object that outgrew its place gets another.
void Counter::firstComeUnits() {
  struct Place {
    uint64_t at = 0, capacity = 0;
  };
  DenseMap<Hash128, Place> places;
  uint64_t next[regionCount] = {};
  for (const PlanImage &image : images) {
    std::vector<const PlanUnit *> fresh[regionCount];
    for (const PlanUnit &u : image.units) {
      if (u.isPrivate || u.kind == UnitKind::Tls)
        continue;
      auto [it, isNew] = places.try_emplace(keyOf(u));
      if (!isNew && u.bytes <= it->second.capacity)
        continue;
      plan.grown += !isNew;
      bool roomy = u.kind == UnitKind::Bss && u.bytes >= 64;
      it->second.capacity = u.bytes + (roomy ? u.bytes / 2 : 0);
      fresh[unsigned(regionOf(u.kind))].push_back(&u);
    }
    for (unsigned r = 0; r != regionCount; ++r) {
      llvm::sort(fresh[r], [&](const PlanUnit *a, const PlanUnit *b) {
        if (a->unstable != b->unstable)
          return b->unstable;
        if (a->library != b->library)
          return a->library < b->library;
        if (Region(r) != Region::Text && a->align != b->align)
          return a->align > b->align;
        return std::tie(a->name, a->identity) < std::tie(b->name, b->identity);
      });
      for (const PlanUnit *u : fresh[r]) {
        Place &p = places[keyOf(*u)];
        p.at = alignTo(next[r], u->align);
        next[r] = p.at + std::max<uint64_t>(p.capacity, 1);
      }
      next[r] = alignTo(next[r], pageBytes);
    }
  }
  countUnits(&PageCount::firstCome, next,
             [&](const Item &i) { return places.lookup(keyOf(*i.unit)).at; });
}

// Slots of an owner (a large library, the image) go behind its last one, shared
// ones into fresh pages of each link.
void Counter::firstComeSlots() {
  struct Group {
    uint64_t base = 0, end = 0;
    bool owned = false;
  };
  constexpr uint64_t groupSpace = 1ull << 40; // further than any slot
  std::map<std::string, Group> groups;
  DenseMap<Hash128, uint64_t> at;
  Group got;
  for (const PlanImage &image : images) {
    std::map<std::string, std::vector<const PlanSlot *>> fresh;
    got.end = alignTo(got.end, pageBytes);
    for (const PlanSlot &s : image.slots) {
      SlotKind kind = itemOf(s).kind;
      if (kind == SlotKind::Entry || at.count(s.key))
        continue;
      at[s.key] = got.end; // of a door, for now
      if (kind == SlotKind::Got)
        got.end += s.bytes;
      else
        fresh[s.target.isZero() ? "" : s.library].push_back(&s);
    }
    groups[" shared"].end = alignTo(groups[" shared"].end, pageBytes);
    for (auto &[library, list] : fresh) {
      Group &own = groups[library];
      own.owned |= library.empty() || list.size() >= ownDoorSlots;
      Group &to = own.owned ? own : groups[" shared"];
      if (!to.base)
        to.base = groups.size() * groupSpace;
      for (const PlanSlot *s : list) {
        at[s->key] = to.base + to.end;
        to.end += s->bytes;
      }
    }
  }
  auto slotAt = [&](const Hash128 &key) { return at.lookup(key); };
  for (auto &[name, g] : groups)
    plan.door.firstCome += pagesOf(g.end);
  plan.door.firstCome += moreContents(SlotKind::Door, slotAt);
  plan.got.firstCome = pagesOf(got.end) + moreContents(SlotKind::Got, slotAt);
}

void Counter::run() {
  countIdeal();
  countPlanned();
  firstComeUnits();
  firstComeSlots();
}

void countPages(ArrayRef<PlanImage> images, const PlanItems &all, Plan &plan) {
  Counter(images, all, plan).run();
}

} // namespace spacer
