//===- Comparison.cpp - pages that images share, by their bytes -----------===//

#include "Comparison.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <array>
#include <tuple>

using namespace llvm;

namespace spacer {

Comparison::Comparison(const Images &images)
    : images(images), used(images.size()) {
  for (unsigned i = 0; i != images.size(); ++i)
    for (const LoadedPage &p : images[i]->pages) {
      if (p.isZero)
        continue;
      ++used[i];
      Site &site = sites[p.address];
      auto same = llvm::find_if(site, [&](const Content &c) {
        return !memcmp(c.bytes, p.bytes, formatPageBytes);
      });
      if (same == site.end())
        site.push_back({p.bytes, {i}});
      else
        same->images.push_back(i);
    }
}

uint64_t Comparison::distinctPages() const {
  uint64_t n = 0;
  for (auto &[address, site] : sites)
    n += site.size();
  return n;
}

/// Addresses of the pages with bytes on which \p library has shared units; of
/// all pages if it is empty.
static DenseSet<uint64_t> pagesWith(const Image &image, StringRef library) {
  DenseSet<uint64_t> out;
  if (library.empty()) {
    for (const LoadedPage &p : image.pages)
      if (!p.isZero)
        out.insert(p.address);
    return out;
  }
  if (!image.manifest)
    return out;
  for (const ManifestUnit &u : image.manifest->units) {
    if (u.flags & UnitPrivate || image.manifest->string(u.library) != library)
      continue;
    auto page = llvm::partition_point(image.pages, [&](const LoadedPage &p) {
      return p.address + formatPageBytes <= u.address;
    });
    for (; page != image.pages.end() && page->address < u.address + u.bytes;
         ++page)
      if (!page->isZero)
        out.insert(page->address);
  }
  return out;
}

PairCounts Comparison::pair(unsigned first, unsigned second,
                            StringRef library) const {
  PairCounts out{first, second};
  DenseSet<uint64_t> a = pagesWith(*images[first], library);
  DenseSet<uint64_t> b = pagesWith(*images[second], library);
  out.pagesFirst = a.size();
  out.pagesSecond = b.size();
  for (uint64_t address : a) {
    if (!b.contains(address))
      continue;
    ++out.common;
    out.equal += !memcmp(images[first]->page(address)->bytes,
                         images[second]->page(address)->bytes, formatPageBytes);
  }
  return out;
}

//===----------------------------------------------------------------------===//
// The ideal
//===----------------------------------------------------------------------===//

static uint64_t toPages(uint64_t bytes) {
  return divideCeil(bytes, formatPageBytes);
}

uint64_t Ideal::pages() const {
  return toPages(textBytes) + toPages(rodataBytes) + toPages(dataBytes) +
         toPages(doorBytes) + toPages(gotBytes) + privatePages;
}

/// How many of a unit's bytes lie on pages that count.
static uint64_t countedBytes(const Image &image, const ManifestUnit &u) {
  uint64_t sum = 0;
  auto page = llvm::partition_point(image.pages, [&](const LoadedPage &p) {
    return p.address + formatPageBytes <= u.address;
  });
  for (; page != image.pages.end() && page->address < u.address + u.bytes;
       ++page)
    if (!page->isZero)
      sum += std::min(page->address + formatPageBytes, u.address + u.bytes) -
             std::max(page->address, u.address);
  return sum;
}

/// What makes two units one: the identity; for a named object the name as well,
/// since objects of equal content have places of their own.
static Hash128 unitKey(const ManifestView &m, const ManifestUnit &u) {
  Hash128 identity = digest(u.identity);
  if (!(u.flags & UnitNamed))
    return identity;
  return HashBuilder()
      .hash(identity)
      .str(m.string(u.library))
      .str(m.name(u))
      .finish();
}

static void addUnits(const Image &image, DenseSet<Hash128> &seen, Ideal &out) {
  const ManifestView &m = *image.manifest;
  for (const ManifestUnit &u : m.units) {
    if (u.flags & UnitPrivate || u.kind == UnitKind::Bss ||
        !seen.insert(unitKey(m, u)).second)
      continue;
    uint64_t bytes = countedBytes(image, u);
    if (u.kind == UnitKind::Text)
      out.textBytes += bytes;
    else if (u.kind == UnitKind::Rodata || u.kind == UnitKind::String)
      out.rodataBytes += bytes;
    else
      out.dataBytes += bytes;
  }
}

std::optional<Ideal> Comparison::ideal() const {
  Ideal out;
  DenseSet<Hash128> seen;
  std::set<std::pair<uint64_t, uint64_t>> leads; // slot, target
  for (const auto &image : images) {
    if (!image->manifest)
      return std::nullopt;
    addUnits(*image, seen, out);
    // Slots that lead into the image itself differ from image to image, and so
    // does the page that holds them: every image has its own, at its fewest.
    const ManifestHeader &h = image->manifest->header;
    uint64_t ownDoors = 0;
    for (const ManifestSlot &s : image->manifest->slots)
      if (s.kind != SlotKind::Entry &&
          leads.insert({s.address, s.target}).second) {
        bool own = s.kind == SlotKind::Door &&
                   s.target - h.windowBase >= h.windowBytes;
        (own                       ? ownDoors
         : s.kind == SlotKind::Got ? out.gotBytes
                                   : out.doorBytes) += s.bytes;
      }
    out.privatePages += toPages(ownDoors);
  }
  // Private pages, at their fewest. One that an earlier image has as well, at
  // the same address, is no page of its own.
  std::vector<std::array<uint64_t, 8>> bytes(images.size());
  for (auto &[address, site] : sites)
    for (const Content &c : site) {
      const Image &owner = *images[c.images.front()];
      const ManifestPage *p = owner.manifest->page(address);
      if (p && isShared(p->pageClass))
        continue;
      const LoadedPage *loaded = owner.page(address);
      bytes[c.images.front()][loaded->flags & 7] += loaded->fileBytes;
    }
  for (auto &ofImage : bytes)
    for (uint64_t n : ofImage)
      out.privatePages += toPages(n);
  return out;
}

//===----------------------------------------------------------------------===//
// What keeps pages apart
//===----------------------------------------------------------------------===//

namespace {

/// Says whose each byte of a page is.
class Owners {
public:
  using Key =
      std::tuple<StringRef, std::string, std::string>; // kind, lib, name
  static constexpr unsigned nobody = ~0u;

  /// Later calls overwrite earlier ones.
  void paint(const Image &image, uint64_t page);
  void clear() {
    keys.clear();
    owner.fill(nobody);
  }
  unsigned at(unsigned offset) const { return owner[offset]; }
  const Key &key(unsigned index) const { return keys[index]; }

private:
  void fill(uint64_t page, uint64_t begin, uint64_t end, Key key);

  std::vector<Key> keys;
  std::array<unsigned, formatPageBytes> owner;
};

} // namespace

void Owners::fill(uint64_t page, uint64_t begin, uint64_t end, Key key) {
  begin = std::max(begin, page);
  end = std::min(end, page + formatPageBytes);
  if (begin >= end)
    return;
  std::fill(owner.begin() + (begin - page), owner.begin() + (end - page),
            unsigned(keys.size()));
  keys.push_back(std::move(key));
}

void Owners::paint(const Image &image, uint64_t page) {
  for (const Section &s : image.sections)
    fill(page, s.address, s.address + s.bytes, {"section", "", s.name});
  if (!image.manifest)
    return;
  const ManifestView &m = *image.manifest;
  // Units are sorted by where they begin; a long one may reach in from afar.
  for (const ManifestUnit &u : m.units) {
    if (u.address >= page + formatPageBytes)
      break;
    if (u.address + u.bytes > page)
      fill(page, u.address, u.address + u.bytes,
           {kindName(u.kind), m.string(u.library).str(), m.name(u).str()});
  }
  auto slot = llvm::partition_point(m.slots, [&](const ManifestSlot &s) {
    return s.address + s.bytes <= page;
  });
  for (; slot != m.slots.end() && slot->address < page + formatPageBytes;
       ++slot)
    if (slot->kind != SlotKind::Entry || slot->target != slot->address)
      fill(page, slot->address, slot->address + slot->bytes,
           {"slot", m.string(slot->library).str(), m.name(*slot).str()});
}

std::vector<Culprit> Comparison::culprits() const {
  std::map<std::pair<bool, Owners::Key>, Culprit> found;
  Owners owners;
  auto blame = [&](bool alone, const Content &c, const Content *base) {
    // Bytes that count: all that are not zero, or those that differ.
    std::map<unsigned, unsigned> share;
    unsigned total = 0;
    for (unsigned i = 0; i != formatPageBytes; ++i)
      if (c.bytes[i] != (base ? base->bytes[i] : 0)) {
        ++share[owners.at(i)];
        ++total;
      }
    for (auto [index, bytes] : share) {
      Owners::Key key = index == Owners::nobody ? Owners::Key{"padding", "", ""}
                                                : owners.key(index);
      Culprit &who = found[{alone, key}];
      std::tie(who.kind, who.library, who.name) = key;
      who.alone = alone;
      who.pages += double(bytes) / total;
      who.images.insert(c.images.begin(), c.images.end());
      if (base)
        who.images.insert(base->images.begin(), base->images.end());
    }
  };
  for (auto &[address, site] : sites) {
    if (site.size() == 1) {
      if (images.size() == 1 || site[0].images.size() != 1)
        continue;
      owners.clear();
      owners.paint(*images[site[0].images.front()], address);
      blame(true, site[0], nullptr);
      continue;
    }
    const Content &base =
        *std::max_element(site.begin(), site.end(), [](auto &a, auto &b) {
          return a.images.size() < b.images.size();
        });
    for (const Content &c : site) {
      if (&c == &base)
        continue;
      owners.clear();
      owners.paint(*images[base.images.front()], address);
      owners.paint(*images[c.images.front()], address);
      blame(false, c, &base);
    }
  }
  std::vector<Culprit> out;
  for (auto &[key, who] : found)
    out.push_back(std::move(who));
  std::sort(out.begin(), out.end(), [](const Culprit &a, const Culprit &b) {
    return std::tie(b.pages, a.alone, a.library, a.name, a.kind) <
           std::tie(a.pages, b.alone, b.library, b.name, b.kind);
  });
  return out;
}

} // namespace spacer
