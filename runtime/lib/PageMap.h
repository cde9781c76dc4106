//===- PageMap.h - what each page of a guest's memory holds ---------------===//
//
// A guest's memory is a list of runs: so many pages from this guest page on
// hold what so many pages of the pool hold from that pool page on. What no run
// covers is zero. This is the range map that everything else feeds or reads:
// import makes one, the planner turns one into mappings, the fault handler asks
// it for one page.
//
// Invariants, checked by make() and decode(): runs rise, do not overlap, are
// not empty, end inside the guest, and two neighbours that continue each other
// in guest and pool are one run.
//
// As bytes (encode/decode; in catalogs and between processes), little-endian:
//   "SPACERPM", u32 version 1, u32 zero, u64 guest pages, u64 runs,
//   then for each run u64 guest page, u64 pool page, u64 pages;
//   at the end the XXH3-128 of all before.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PAGEMAP_H
#define SPACER_RUNTIME_PAGEMAP_H

#include "Result.h"
#include "Units.h"
#include <optional>
#include <span>
#include <vector>

namespace spacer {

struct PageRun {
  GuestPage guest;
  PoolPage pool;
  uint64_t pages = 0;

  bool operator==(const PageRun &) const = default;
};

class PageMap {
public:
  PageMap() = default;
  /// Merges neighbours that continue each other. EINVAL if an invariant fails.
  static Result<PageMap> make(uint64_t guestPages, std::vector<PageRun> runs);

  uint64_t guestPages() const { return total; }
  /// Pages that a run covers.
  uint64_t poolPages() const;
  const std::vector<PageRun> &runs() const { return list; }

  /// A stretch of equal kind that starts at the page asked for.
  struct Piece {
    uint64_t pages = 0;           ///< at least 1; to the end of run or gap
    std::optional<PoolPage> pool; ///< nothing: zero pages
  };
  /// \p page must be below guestPages(). O(log runs).
  Piece at(GuestPage page) const;

  std::vector<uint8_t> encode() const;
  /// EBADMSG if \p bytes are not exactly what encode() wrote.
  static Result<PageMap> decode(std::span<const uint8_t> bytes);

  bool operator==(const PageMap &) const = default;

private:
  uint64_t total = 0;
  std::vector<PageRun> list;
};

} // namespace spacer

#endif
