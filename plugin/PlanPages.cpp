//===- PlanPages.cpp - the bytes of planned pages -------------------------===//
//
// A page must be whole at the first link that uses it, and that link has only
// its own units. So a plan is worth nothing without bytes: each image is linked
// against the plan's rows once, and what these links wrote is laid together, as
// PageImage.cpp does for links that come one after the other:
//
//  - an image's pieces of a page (units, slots) go onto the first content of
//    the page that says nothing else where they lie;
//  - where there is none, they begin another content;
//  - what no image fills is filled as a link would: from the page's first
//    content, then with int3 or zero.
//
// The links that follow find each page whole, whatever comes first, and need
// not be allowed to grow the atlas.
//
//===----------------------------------------------------------------------===//

#include "PlanPages.h"
#include "PlanItems.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace llvm;

namespace spacer {

namespace {

struct Piece {
  uint32_t begin, end; ///< in the page
};

/// What one link has of a page.
struct Sight {
  ArrayRef<Piece> pieces;
  ArrayRef<uint8_t> bytes; ///< of the whole page
  uint32_t link;
  Hash128 digest; ///< of pieces and their bytes
};

/// A content in the making.
struct Content {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(pageBytes);
  std::vector<bool> known = std::vector<bool>(pageBytes);

  bool fits(ArrayRef<Piece> pieces, ArrayRef<uint8_t> from) const {
    for (const Piece &p : pieces)
      for (uint32_t i = p.begin; i != p.end; ++i)
        if (known[i] && bytes[i] != from[i])
          return false;
    return true;
  }
  void lay(ArrayRef<Piece> pieces, ArrayRef<uint8_t> from) {
    for (const Piece &p : pieces)
      for (uint32_t i = p.begin; i != p.end; ++i) {
        known[i] = true;
        bytes[i] = from[i];
      }
  }
  /// Takes what it lacks from \p first, the rest is \p filler.
  void complete(const Content &first, uint8_t filler) {
    for (uint64_t i = 0; i != pageBytes; ++i)
      if (!known[i])
        bytes[i] = first.known[i] ? first.bytes[i] : filler;
  }
};

bool hasBytes(const PlanUnit &u) {
  return !u.isPrivate && u.address && u.kind != UnitKind::Bss &&
         u.kind != UnitKind::Tls;
}

bool inRegion(const Atlas &atlas, Region r, uint64_t address) {
  return atlas.region(r).gave(address, address + 1);
}

} // namespace

// By page and link: where the link wrote.
using PageTable = std::map<uint64_t, std::vector<SmallVector<Piece, 0>>>;

static void addPieces(PageTable &pages, size_t links, size_t link,
                      uint64_t address, uint64_t bytes) {
  for (uint64_t at = address, end = address + bytes; at < end;) {
    uint64_t page = alignDown(at, pageBytes);
    uint64_t stop = std::min(end, page + pageBytes);
    auto &byLink = pages[page];
    byLink.resize(links);
    byLink[link].push_back({uint32_t(at - page), uint32_t(stop - page)});
    at = stop;
  }
}

// What the links see of one page, in an order that does not depend on theirs.
static Expected<std::vector<Sight>>
collectSights(uint64_t page, ArrayRef<SmallVector<Piece, 0>> byLink,
              ArrayRef<PlannedLink> links) {
  std::vector<Sight> sights;
  for (uint32_t i = 0; i != links.size(); ++i) {
    if (byLink[i].empty())
      continue;
    Expected<ArrayRef<PageVariant>> made = links[i].atlas->pageVariants(page);
    if (!made)
      return made.takeError();
    if (made->empty())
      return createStringError(
          "%s: no content of page 0x%llx, which %s has units on (please "
          "report this)",
          links[i].atlas->path().c_str(), (unsigned long long)page,
          links[i].image.name.c_str());
    Sight s{byLink[i], made->front().content, i, {}};
    HashBuilder h;
    for (const Piece &p : s.pieces)
      h.fixed({p.begin, p.end}).raw(s.bytes.slice(p.begin, p.end - p.begin));
    s.digest = h.finish();
    sights.push_back(s);
  }
  llvm::sort(sights, [](const Sight &a, const Sight &b) {
    return std::tie(a.digest, a.link) < std::tie(b.digest, b.link);
  });
  return std::move(sights);
}

Expected<PlanPagesResult> addPlannedPages(Atlas &atlas,
                                          MutableArrayRef<PlannedLink> links) {
  PageTable pages;
  for (size_t i = 0; i != links.size(); ++i) {
    for (const PlanUnit &u : links[i].image.units)
      if (hasBytes(u) && inRegion(atlas, regionOf(u.kind), u.address))
        addPieces(pages, links.size(), i, u.address, u.bytes);
    for (const PlanSlot &s : links[i].image.slots)
      if (s.kind != SlotKind::Entry &&
          inRegion(atlas, s.kind == SlotKind::Got ? Region::Got : Region::Door,
                   s.address))
        addPieces(pages, links.size(), i, s.address, s.bytes);
  }
  // A text page that nobody fills has a content all the same.
  for (const ExtentRow &e : atlas.extents(Region::Text))
    for (uint64_t p = e.base; p != e.base + e.bytes; p += pageBytes)
      pages[p].resize(links.size());

  PlanPagesResult result;
  for (auto &[page, byLink] : pages) {
    for (SmallVector<Piece, 0> &pieces : byLink)
      llvm::sort(pieces, [](const Piece &a, const Piece &b) {
        return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
      });
    bool isText = inRegion(atlas, Region::Text, page);
    bool isCode = isText || inRegion(atlas, Region::Door, page);
    Expected<std::vector<Sight>> sights = collectSights(page, byLink, links);
    if (!sights)
      return sights.takeError();
    std::vector<Content> contents;
    for (const Sight &sight : *sights) {
      auto it = llvm::find_if(contents, [&](const Content &c) {
        return c.fits(sight.pieces, sight.bytes);
      });
      if (it == contents.end()) {
        if (isText && !contents.empty())
          return createStringError(
              "%s: page 0x%llx of %s differs from that of another image "
              "(please report this)",
              atlas.path().c_str(), (unsigned long long)page,
              links[sight.link].image.name.c_str());
        it = contents.insert(it, Content());
      }
      it->lay(sight.pieces, sight.bytes);
    }
    if (contents.empty())
      contents.emplace_back();
    // Against the first as it was, before it is completed itself.
    for (size_t i = contents.size(); i-- != 0;)
      contents[i].complete(contents[0], isCode ? 0xcc : 0);
    for (const Content &c : contents)
      atlas.addPageVariant(page, c.bytes);
    ++result.pages;
    result.contents += contents.size();
  }
  return result;
}

/// Where \p atlas has the unit, if it does.
static std::optional<uint64_t> rowAddress(Atlas &atlas, const PlanUnit &u) {
  if (u.named) {
    ArrayRef<PlaceRow> rows = atlas.findPlaces(u.key);
    return rows.empty() ? std::nullopt : std::optional(rows.front().address);
  }
  const UnitRow *row = atlas.findUnit(u.identity);
  return row ? std::optional(row->address) : std::nullopt;
}

DenseSet<Hash128> findUnused(const Plan &plan, Atlas &atlas,
                             ArrayRef<PlannedLink> links) {
  DenseMap<Hash128, uint64_t> used;
  for (const PlannedLink &l : links) {
    for (const PlanUnit &u : l.image.units)
      if (!u.isPrivate)
        used[keyOf(u)] = u.address;
    for (const PlanSlot &s : l.image.slots)
      used[s.key] = s.address;
  }
  DenseSet<Hash128> unused;
  auto keep = [&](const Hash128 &key, uint64_t address) {
    auto it = used.find(key);
    if (it == used.end() || it->second != address)
      unused.insert(key);
  };
  for (auto *list : {&plan.units, &plan.tls})
    for (const PlannedUnit &u : *list)
      if (std::optional<uint64_t> address = rowAddress(atlas, *u.unit))
        keep(keyOf(*u.unit), *address);
  DenseSet<uint64_t> functions;
  for (const PlannedLink &l : links)
    for (const PlanUnit &u : l.image.units)
      if (u.kind == UnitKind::Text && !u.isPrivate)
        functions.insert(u.address);
  for (const PlannedSlot &s : plan.slots)
    if (const SlotRow *row = atlas.findSlot(s.slot->key)) {
      keep(row->key, row->address);
      if (row->kind == SlotKind::Entry && !functions.contains(row->address))
        unused.insert(row->key);
    }
  return unused;
}

uint64_t countUnplanned(Atlas &atlas, ArrayRef<PlannedLink> links) {
  uint64_t n = 0;
  for (const PlannedLink &l : links) {
    for (const PlanUnit &u : l.image.units)
      n += !u.isPrivate && rowAddress(atlas, u) != u.address;
    for (const PlanSlot &s : l.image.slots) {
      const SlotRow *row = atlas.findSlot(s.key);
      n += !row || row->address != s.address;
    }
  }
  return n;
}

} // namespace spacer
