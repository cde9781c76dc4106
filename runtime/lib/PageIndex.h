//===- PageIndex.h - from a page's hash to pages of the pool --------------===//
//
// The table that an import asks "is this page there already?". Open addressing,
// linear probing, 8 bytes a slot: 24 bits of the hash as a tag and a page
// number of 40 bits, so one cache line answers nearly every "no" without
// touching a digest. At most 70% full: 11 to 23 bytes a page, 34 for the moment
// in which it grows. Slots of a whole batch are prefetched before the first is
// looked at; that hides the cache misses, which would otherwise cost as much as
// the hashing.
//
// A find() looks at no more than mostCandidates pages of one hash, so crafted
// collisions make an import store pages twice, but not crawl.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PAGEINDEX_H
#define SPACER_RUNTIME_PAGEINDEX_H

#include <bit>
#include <cstdint>
#include <vector>

namespace spacer {

class PageIndex {
public:
  static constexpr uint64_t mostPages = (uint64_t(1) << 40) - 1;
  static constexpr unsigned mostCandidates = 8;
  static constexpr uint64_t none = ~uint64_t(0);

  explicit PageIndex(uint64_t expectedPages)
      : slots(std::bit_ceil(expectedPages + expectedPages / 2 + 1024)) {}

  void prefetch(uint64_t hash) const {
    __builtin_prefetch(&slots[hash & (slots.size() - 1)]);
  }

  /// The first page for which \p matches(page) holds, or none. \p crowded is
  /// set if the search was given up: then the page must not be inserted.
  template <class F>
  uint64_t find(uint64_t hash, bool &crowded, F &&matches) const {
    uint64_t mask = slots.size() - 1, tag = hash >> 40;
    unsigned candidates = 0;
    crowded = false;
    for (uint64_t i = hash & mask; slots[i]; i = (i + 1) & mask) {
      if (slots[i] >> 40 != tag)
        continue;
      uint64_t page = (slots[i] & mostPages) - 1;
      if (matches(page))
        return page;
      if (++candidates == mostCandidates) {
        crowded = true;
        return none;
      }
    }
    return none;
  }

  /// \p hashOf(page) gives the hash of a page inserted before: asked when the
  /// table grows.
  template <class F> void insert(uint64_t hash, uint64_t page, F &&hashOf) {
    if (used * 10 >= slots.size() * 7)
      grow(hashOf);
    place(hash, page);
    ++used;
  }

  uint64_t pages() const { return used; }
  uint64_t bytes() const { return slots.size() * sizeof slots[0]; }

private:
  void place(uint64_t hash, uint64_t page) {
    uint64_t mask = slots.size() - 1, i = hash & mask;
    while (slots[i])
      i = (i + 1) & mask;
    slots[i] = (hash >> 40) << 40 | (page + 1);
  }
  template <class F> void grow(F &&hashOf) {
    std::vector<uint64_t> old(slots.size() * 2);
    old.swap(slots);
    for (uint64_t s : old)
      if (s) {
        uint64_t page = (s & mostPages) - 1;
        place(hashOf(page), page);
      }
  }

  std::vector<uint64_t> slots; ///< 0: free, else tag << 40 | (page + 1)
  uint64_t used = 0;
};

} // namespace spacer

#endif
