//===- Plan.cpp - from a page map to mappings -----------------------------===//
//
// Problem: keep the most pages shared with at most B mappings. A segment (a
// run, or a part of one where laziness changes) costs one mapping when it is
// mapped; each anonymous stretch between mapped segments costs one more, so
// copying a segment between two zero stretches saves two mappings, copying one
// inside mapped neighbours saves none until a neighbour is copied too.
//
// Idea: give a mapping a price in pages. For a fixed price the best choice for
// each segment needs to know only what was done with the one before it, so one
// pass with two states is exact; the higher the price, the fewer mappings. The
// lowest price that fits the budget is found by bisection.
//
// Steps: 1. cut the map into segments; 2. if all fit, done; 3. bisect the
// price;
// 4. spend what rounding left over on the largest copied segments that fit.
//
// Cost: O(n log pages) and one sort; nothing but step 1 when the budget
// suffices. The answer depends on the input alone.
//
// As bytes, little-endian: "SPACERPL", u32 version 1, u32 zero, u64 guest
// pages, u64 wanted mappings, u64 copied runs, u64 steps, then the steps as
// PlanStep (32 bytes); at the end the XXH3-128 of all before.
//
//===----------------------------------------------------------------------===//

#include "Plan.h"
#include "SealedTable.h"
#include <algorithm>
#include <limits>
#include <numeric>

namespace spacer {
namespace {

using Cost = unsigned __int128; // guest pages * priceScale * mappings

/// Prices are in 1/256 page: the best trade may be 3 pages for 2 mappings.
constexpr uint64_t priceScale = 256;
/// A lazy page that is copied must be read and unpacked now, for every clone.
constexpr uint64_t lazyWeight = 4;
/// As in PageMap: page numbers times 4096 stay in 63 bits.
constexpr uint64_t mostPages = uint64_t(1) << 50;

struct Segment {
  GuestPage guest;
  PoolPage pool;
  uint64_t pages = 0;
  bool lazy = false;
  bool gapBefore = false; ///< zero pages stand between it and the one before
  bool fixedCopy = false; ///< too short to be mapped
  bool copied = false;    ///< the answer

  uint64_t weight() const { return lazy ? pages * lazyWeight : pages; }
};

struct Segments {
  std::vector<Segment> list;
  bool gapAtEnd = false;

  /// As the kernel will count them.
  uint64_t mappings() const {
    uint64_t count = 0;
    bool anonymous = false;
    for (const Segment &s : list) {
      bool opens = !anonymous && (s.gapBefore || s.copied);
      count += opens + !s.copied;
      anonymous = s.copied;
    }
    return count + (gapAtEnd && !anonymous);
  }
};

Segments cut(const PageMap &map, const PlanOptions &options) {
  Segments out;
  uint64_t end = 0;
  for (const PageRun &r : map.runs()) {
    bool gap = r.guest.value != end;
    for (uint64_t done = 0; done < r.pages;) {
      uint64_t pages = r.pages - done;
      bool lazy = false;
      if (options.lazy) {
        auto [answer, holds] = options.lazy(r.pool + done);
        lazy = answer;
        pages = std::clamp<uint64_t>(holds, 1, pages);
      }
      Segment *last = out.list.empty() ? nullptr : &out.list.back();
      if (done && last->lazy == lazy)
        last->pages += pages;
      else
        out.list.push_back(
            {r.guest + done, r.pool + done, pages, lazy, gap && done == 0});
      done += pages;
    }
    end = r.guest.value + r.pages;
  }
  out.gapAtEnd = end != map.guestPages();
  return out;
}

/// What one pass with a price finds: dropped weight and mappings.
struct Choice {
  Cost cost = 0;
  uint64_t mappings = 0;

  auto operator<=>(const Choice &) const = default;
};

/// The best choice at \p price; ties go to fewer mappings. Writes it into the
/// segments if \p apply.
uint64_t choose(Segments &segments, uint64_t price, bool apply,
                std::vector<uint8_t> &from) {
  constexpr Choice never{std::numeric_limits<Cost>::max() / 2, 0};
  auto plus = [price](Choice c, bool mapping) {
    c.cost += mapping ? price : 0;
    c.mappings += mapping;
    return c;
  };
  // The two states: the segment before was mapped, or copied.
  Choice mapped, copied = never;
  if (apply)
    from.resize(segments.list.size());
  for (size_t i = 0; i < segments.list.size(); ++i) {
    const Segment &s = segments.list[i];
    Choice mapAfterMap = plus(plus(mapped, s.gapBefore), true);
    Choice mapAfterCopy = plus(copied, true);
    Choice copyAfterMap = plus(mapped, true);
    if (apply)
      from[i] = (mapAfterCopy < mapAfterMap) | (copied < copyAfterMap) << 1;
    mapped = s.fixedCopy ? never : std::min(mapAfterMap, mapAfterCopy);
    copied = std::min(copyAfterMap, copied);
    copied.cost += s.fixedCopy ? 0 : Cost(s.weight()) * priceScale;
  }
  mapped = plus(mapped, segments.gapAtEnd);
  bool lastCopied = copied < mapped;
  if (apply)
    for (size_t i = segments.list.size(); i-- > 0;) {
      segments.list[i].copied = lastCopied;
      lastCopied = from[i] >> lastCopied & 1;
    }
  return std::min(mapped, copied).mappings;
}

/// Maps copied segments again, the largest first, as long as they fit.
void spendRest(Segments &segments, uint64_t budget) {
  auto &list = segments.list;
  uint64_t used = segments.mappings();
  std::vector<size_t> order;
  for (size_t i = 0; i < list.size(); ++i)
    if (list[i].copied && !list[i].fixedCopy)
      order.push_back(i);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(list[b].weight(), a) < std::pair(list[a].weight(), b);
  });
  for (size_t i : order) {
    bool last = i + 1 == list.size();
    bool before = list[i].gapBefore || (i > 0 && list[i - 1].copied);
    bool after =
        last ? segments.gapAtEnd : list[i + 1].gapBefore || list[i + 1].copied;
    // Between two mapped ones it takes the place of an anonymous stretch.
    uint64_t price = before + after;
    if (used + price > budget)
      continue;
    list[i].copied = false;
    used += price;
  }
}

void spendBudget(Segments &segments, uint64_t budget) {
  if (segments.mappings() <= budget)
    return;
  std::vector<uint8_t> from;
  uint64_t weight = 0;
  for (const Segment &s : segments.list)
    weight += s.weight();
  uint64_t low = 0, high = (weight + 1) * priceScale; // at high: one mapping
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (choose(segments, middle, false, from) <= budget)
      high = middle;
    else
      low = middle + 1;
  }
  choose(segments, high, true, from);
  spendRest(segments, budget);
}

bool continues(const PlanStep &a, const PlanStep &b) {
  return a.kind == b.kind &&
         (a.kind == StepKind::Zero || a.pool + a.pages == b.pool);
}

void append(std::vector<PlanStep> &steps, const PlanStep &step) {
  if (step.pages == 0)
    return;
  if (!steps.empty() && continues(steps.back(), step))
    steps.back().pages += step.pages;
  else
    steps.push_back(step);
}

constexpr char magic[8] = {'S', 'P', 'A', 'C', 'E', 'R', 'P', 'L'};

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t guestPages;
  uint64_t wanted;
  uint64_t copied;
  uint64_t steps;
};
static_assert(sizeof(Header) == 48, "format is fixed");
static_assert(sizeof(PlanStep) == 32, "format is fixed");

std::string stepProblem(uint64_t guestPages,
                        const std::vector<PlanStep> &steps) {
  if (guestPages > mostPages)
    return "guest of " + std::to_string(guestPages) + " pages";
  uint64_t end = 0;
  const PlanStep *before = nullptr;
  for (const PlanStep &s : steps) {
    std::string at = "step at guest page " + std::to_string(s.guest.value);
    if (s.guest.value != end)
      return at + ", expected " + std::to_string(end);
    if (s.pages == 0 || s.pages > guestPages - end)
      return at + " has " + std::to_string(s.pages) + " pages, the guest has " +
             std::to_string(guestPages);
    if (s.kind > StepKind::Lazy || s.reserved != 0)
      return at + " has kind " + std::to_string(uint32_t(s.kind)) +
             ", known are 0 to 3";
    if (s.pool.value > mostPages || s.pages > mostPages - s.pool.value ||
        (s.kind == StepKind::Zero && s.pool.value != 0))
      return at + " has pool page " + std::to_string(s.pool.value);
    if (before && continues(*before, s))
      return at + " continues the one before";
    before = &s;
    end += s.pages;
  }
  if (end != guestPages)
    return "steps for " + std::to_string(end) + " pages, the guest has " +
           std::to_string(guestPages);
  return {};
}

} // namespace

Plan makePlan(const PageMap &map, const PlanOptions &options) {
  Segments segments = cut(map, options);
  Plan plan;
  plan.total = map.guestPages();
  plan.wanted = segments.mappings();
  for (Segment &s : segments.list)
    s.copied = s.fixedCopy = !s.lazy && s.pages < options.leastRunPages;
  spendBudget(segments, std::max<uint64_t>(options.mappings, 1));

  auto zeroUntil = [&](GuestPage end) {
    uint64_t from =
        plan.list.empty()
            ? 0
            : (plan.list.back().guest + plan.list.back().pages).value;
    append(plan.list, {{from}, {}, end.value - from, StepKind::Zero});
  };
  for (const Segment &s : segments.list) {
    zeroUntil(s.guest);
    StepKind kind = s.copied ? StepKind::Copy
                    : s.lazy ? StepKind::Lazy
                             : StepKind::Pool;
    append(plan.list, {s.guest, s.pool, s.pages, kind});
    plan.copied += s.copied;
  }
  zeroUntil({map.guestPages()});
  return plan;
}

bool Plan::hasLazy() const {
  return std::any_of(list.begin(), list.end(), [](const PlanStep &s) {
    return s.kind == StepKind::Lazy;
  });
}

PlanSummary Plan::summary() const {
  PlanSummary sum;
  sum.wantedMappings = wanted;
  sum.copiedRuns = copied;
  bool anonymous = false;
  for (const PlanStep &s : list) {
    bool isAnonymous = s.kind == StepKind::Zero || s.kind == StepKind::Copy;
    sum.mappings += !(isAnonymous && anonymous);
    anonymous = isAnonymous;
    switch (s.kind) {
    case StepKind::Zero:
      sum.zeroPages += s.pages;
      break;
    case StepKind::Pool:
      sum.poolPages += s.pages;
      break;
    case StepKind::Copy:
      sum.copyPages += s.pages;
      break;
    case StepKind::Lazy:
      sum.lazyPages += s.pages;
      break;
    }
  }
  return sum;
}

std::vector<uint8_t> Plan::encode() const {
  Header h{};
  h.guestPages = total;
  h.wanted = wanted;
  h.copied = copied;
  h.steps = list.size();
  return sealTable(magic, h, list);
}

Result<Plan> Plan::decode(std::span<const uint8_t> bytes) {
  auto table = openTable<Header, PlanStep>(magic, bytes, &Header::steps, "plan",
                                           "steps");
  if (!table)
    return table.takeError();
  Plan plan;
  plan.total = table->header.guestPages;
  plan.wanted = table->header.wanted;
  plan.copied = table->header.copied;
  plan.list = std::move(table->rows);
  if (std::string why = stepProblem(plan.total, plan.list); !why.empty())
    return Error{EBADMSG, "plan: " + why};
  return plan;
}

} // namespace spacer
