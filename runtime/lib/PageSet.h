//===- PageSet.h - a set of pool pages as intervals -----------------------===//
//
// What an object refers to, as rising intervals with gaps between them; the
// pool asks it what is in use, what is an object's own, and what may go.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PAGESET_H
#define SPACER_RUNTIME_PAGESET_H

#include "PageMap.h"
#include <algorithm>
#include <vector>

namespace spacer {

class PageSet {
public:
  struct Interval {
    uint64_t first = 0, end = 0; ///< pool pages, end excluded
    bool operator==(const Interval &) const = default;
  };

  PageSet() = default;
  /// In any order, overlapping or not.
  explicit PageSet(std::vector<Interval> given) : list(std::move(given)) {
    std::sort(list.begin(), list.end(),
              [](auto &a, auto &b) { return a.first < b.first; });
    size_t kept = 0;
    for (const Interval &i : list) {
      if (i.first >= i.end)
        continue;
      if (kept && i.first <= list[kept - 1].end)
        list[kept - 1].end = std::max(list[kept - 1].end, i.end);
      else
        list[kept++] = i;
    }
    list.resize(kept);
  }
  static PageSet of(const PageMap &map) {
    std::vector<Interval> given;
    given.reserve(map.runs().size());
    for (const PageRun &r : map.runs())
      given.push_back({r.pool.value, r.pool.value + r.pages});
    return PageSet(std::move(given));
  }

  const std::vector<Interval> &intervals() const & { return list; }
  std::vector<Interval> intervals() && { return std::move(list); }
  uint64_t pages() const {
    uint64_t sum = 0;
    for (const Interval &i : list)
      sum += i.end - i.first;
    return sum;
  }
  bool contains(uint64_t page) const {
    auto next = std::upper_bound(
        list.begin(), list.end(), page,
        [](uint64_t p, const Interval &i) { return p < i.first; });
    return next != list.begin() && page < std::prev(next)->end;
  }
  /// Of this set, what \p other does not have.
  PageSet minus(const PageSet &other) const {
    PageSet out;
    auto o = other.list.begin();
    for (Interval i : list) {
      while (o != other.list.end() && o->end <= i.first)
        ++o;
      for (auto p = o; p != other.list.end() && p->first < i.end; ++p) {
        if (p->first > i.first)
          out.list.push_back({i.first, p->first});
        i.first = std::max(i.first, p->end);
      }
      if (i.first < i.end)
        out.list.push_back(i);
    }
    return out;
  }
  PageSet plus(const PageSet &other) const {
    std::vector<Interval> both = list;
    both.insert(both.end(), other.list.begin(), other.list.end());
    return PageSet(std::move(both));
  }

private:
  std::vector<Interval> list;
};

} // namespace spacer

#endif
