//===- Plan.h - from a page map to mappings -------------------------------===//
//
// Every run of pool pages can be one private mapping, but mappings are finite
// (65,530 in a process by default) and each costs about 2 us to make and slows
// faults. The plan spends a budget where it saves most pages:
//
//   pool   a private, copy-on-write mapping of the pool: shared
//   zero   anonymous memory
//   copy   pages copied into anonymous memory: right, not shared
//   lazy   a private mapping of the pool registered with userfaultfd, for pages
//          that are not in memory yet
//
// A plan covers the guest without gap or overlap; copy and zero steps that are
// neighbours share one mapping. As bytes (between processes): see encode().
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PLAN_H
#define SPACER_RUNTIME_PLAN_H

#include "PageMap.h"
#include <functional>

namespace spacer {

enum class StepKind : uint32_t { Zero = 0, Pool = 1, Copy = 2, Lazy = 3 };

struct PlanStep {
  GuestPage guest;
  PoolPage pool; ///< 0 for Zero
  uint64_t pages = 0;
  StepKind kind = StepKind::Zero;
  uint32_t reserved = 0;

  bool operator==(const PlanStep &) const = default;
};

struct PlanOptions {
  uint64_t mappings = 10'000; ///< budget, at least 1
  /// Runs shorter than this are copied even when the budget has room; lazy ones
  /// are not, for they are not in memory yet.
  uint64_t leastRunPages = 1;
  /// Whether a pool page is to come lazily; asked once a stretch: returns the
  /// answer for \p page and for how many pages from it on it holds (at least
  /// 1). Empty: nothing is lazy.
  std::function<std::pair<bool, uint64_t>(PoolPage page)> lazy;
};

struct PlanSummary {
  uint64_t mappings = 0;       ///< VMAs that the kernel will hold
  uint64_t wantedMappings = 0; ///< with every run mapped
  uint64_t poolPages = 0, zeroPages = 0, copyPages = 0, lazyPages = 0;
  uint64_t copiedRuns = 0; ///< runs that the budget or leastRunPages cost
};

class Plan {
public:
  Plan() = default;
  uint64_t guestPages() const { return total; }
  const std::vector<PlanStep> &steps() const { return list; }
  bool hasLazy() const;
  PlanSummary summary() const;

  std::vector<uint8_t> encode() const;
  /// EBADMSG unless encode() wrote it and it covers its guest exactly.
  static Result<Plan> decode(std::span<const uint8_t> bytes);

  bool operator==(const Plan &) const = default;

private:
  friend Plan makePlan(const PageMap &, const PlanOptions &);
  uint64_t total = 0;
  uint64_t wanted = 0, copied = 0;
  std::vector<PlanStep> list;
};

/// Never fails: with a budget of 1 everything is copied (lazy runs too), unless
/// one run is the whole guest. Whoever hands out a plan brings the pages of its
/// pool and copy steps into the pool's memory first.
Plan makePlan(const PageMap &map, const PlanOptions &options = {});

} // namespace spacer

#endif
