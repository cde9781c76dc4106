//===- PlanTest.cpp -------------------------------------------------------===//

#include "Plan.h"
#include <bit>
#include <gtest/gtest.h>
#include <random>

using namespace spacer;

namespace {

PageRun run(uint64_t guest, uint64_t pool, uint64_t pages) {
  return {{guest}, {pool}, pages};
}
PlanStep step(StepKind kind, uint64_t guest, uint64_t pool, uint64_t pages) {
  return {{guest}, {pool}, pages, kind};
}

std::pair<bool, uint64_t> lazyHundreds(PoolPage p) {
  return {p.value / 100 % 2 == 1, 100 - p.value % 100};
}

/// Up to \p most runs; what follows each other in the guest may do so in the
/// pool, or repeat pages.
PageMap randomMap(std::mt19937_64 &random, uint64_t most) {
  std::vector<PageRun> runs;
  uint64_t guest = random() % 3, count = random() % (most + 1);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t pages = 1 + random() % (random() % 4 ? 3 : 40);
    runs.push_back(run(guest, random() % 500, pages));
    guest += pages + (random() % 2 ? 0 : random() % 20);
  }
  return *PageMap::make(guest + random() % 3, runs);
}

/// Covers the guest once, and says about each page what the map says.
void expectRight(const Plan &plan, const PageMap &map,
                 const PlanOptions &options) {
  ASSERT_EQ(plan.guestPages(), map.guestPages());
  uint64_t next = 0;
  for (const PlanStep &s : plan.steps()) {
    ASSERT_EQ(s.guest.value, next);
    ASSERT_GT(s.pages, 0u);
    for (uint64_t i = 0; i < s.pages; ++i, ++next) {
      auto piece = map.at({next});
      ASSERT_EQ(s.kind == StepKind::Zero, !piece.pool) << next;
      if (!piece.pool)
        continue;
      ASSERT_EQ(*piece.pool, s.pool + i);
      bool lazy = options.lazy && options.lazy(*piece.pool).first;
      if (s.kind == StepKind::Pool) {
        ASSERT_FALSE(lazy);
      }
      if (s.kind == StepKind::Lazy) {
        ASSERT_TRUE(lazy);
      }
    }
  }
  ASSERT_EQ(next, map.guestPages());
  PlanSummary sum = plan.summary();
  EXPECT_LE(sum.mappings, std::max<uint64_t>(options.mappings, 1));
  EXPECT_EQ(sum.poolPages + sum.copyPages + sum.lazyPages, map.poolPages());
  EXPECT_EQ(sum.zeroPages, map.guestPages() - map.poolPages());
}

TEST(PlanTest, everyRunIsMappedWhenTheBudgetSuffices) {
  auto map = *PageMap::make(20, {run(2, 7, 3), run(5, 20, 2), run(9, 0, 11)});
  Plan plan = makePlan(map);
  EXPECT_EQ(plan.steps(), (std::vector{step(StepKind::Zero, 0, 0, 2),
                                       step(StepKind::Pool, 2, 7, 3),
                                       step(StepKind::Pool, 5, 20, 2),
                                       step(StepKind::Zero, 7, 0, 2),
                                       step(StepKind::Pool, 9, 0, 11)}));
  EXPECT_EQ(plan.summary().mappings, 5u);
  EXPECT_EQ(plan.summary().wantedMappings, 5u);
  EXPECT_EQ(plan.summary().copiedRuns, 0u);
  EXPECT_FALSE(plan.hasLazy());
}

TEST(PlanTest, theRunThatSavesLeastIsCopiedFirst) {
  // Copying either run saves two mappings; the shorter one goes.
  auto map = *PageMap::make(20, {run(2, 7, 3), run(9, 0, 2)});
  PlanOptions options;
  options.mappings = 4;
  Plan plan = makePlan(map, options);
  EXPECT_EQ(
      plan.steps(),
      (std::vector{step(StepKind::Zero, 0, 0, 2), step(StepKind::Pool, 2, 7, 3),
                   step(StepKind::Zero, 5, 0, 4), step(StepKind::Copy, 9, 0, 2),
                   step(StepKind::Zero, 11, 0, 9)}));
  EXPECT_EQ(plan.summary().mappings, 3u);
  EXPECT_EQ(plan.summary().copiedRuns, 1u);
}

TEST(PlanTest, onlyNeighboursCopiedTogetherSaveAMapping) {
  // No zero pages: one copied run alone frees nothing.
  auto map = *PageMap::make(
      20, {run(0, 50, 9), run(9, 30, 1), run(10, 70, 1), run(11, 90, 9)});
  PlanOptions options;
  options.mappings = 3;
  Plan plan = makePlan(map, options);
  EXPECT_EQ(plan.steps(), (std::vector{step(StepKind::Pool, 0, 50, 9),
                                       step(StepKind::Copy, 9, 30, 1),
                                       step(StepKind::Copy, 10, 70, 1),
                                       step(StepKind::Pool, 11, 90, 9)}));
  EXPECT_EQ(plan.summary().mappings, 3u);
}

TEST(PlanTest, aBudgetOfOneCopiesAllUnlessOneRunIsAll) {
  PlanOptions options;
  options.mappings = 1;
  options.lazy = lazyHundreds;
  auto map = *PageMap::make(400, {run(0, 50, 100), run(200, 7, 150)});
  Plan plan = makePlan(map, options);
  EXPECT_EQ(plan.summary().copyPages, 250u);
  EXPECT_EQ(plan.summary().mappings, 1u);
  EXPECT_EQ(makePlan(*PageMap::make(50, {run(0, 9, 50)}), options)
                .summary()
                .poolPages,
            50u);
  options.mappings = 0; // is 1
  EXPECT_EQ(makePlan(map, options).summary().mappings, 1u);
}

TEST(PlanTest, lazyStretchesAreMappingsOfTheirOwn) {
  PlanOptions options;
  options.lazy = lazyHundreds;
  auto map = *PageMap::make(300, {run(0, 50, 300)});
  Plan plan = makePlan(map, options);
  EXPECT_EQ(plan.steps(), (std::vector{step(StepKind::Pool, 0, 50, 50),
                                       step(StepKind::Lazy, 50, 100, 100),
                                       step(StepKind::Pool, 150, 200, 100),
                                       step(StepKind::Lazy, 250, 300, 50)}));
  EXPECT_TRUE(plan.hasLazy());
  EXPECT_EQ(plan.summary().mappings, 4u);
}

TEST(PlanTest, lazyRunsStayWhenTinyPoolRunsCanGo) {
  auto map = *PageMap::make(100, {run(10, 1, 3), run(20, 100, 2)});
  PlanOptions options;
  options.lazy = lazyHundreds;
  options.mappings = 3;
  Plan plan = makePlan(map, options);
  EXPECT_EQ(plan.summary().lazyPages, 2u);
  EXPECT_EQ(plan.summary().copyPages, 3u);
}

TEST(PlanTest, shortRunsAreCopiedOnRequest) {
  auto map = *PageMap::make(100, {run(10, 1, 3), run(20, 100, 2)});
  PlanOptions options;
  options.leastRunPages = 3;
  PlanSummary sum = makePlan(map, options).summary();
  EXPECT_EQ(sum.poolPages, 3u);
  EXPECT_EQ(sum.copyPages, 2u);
  EXPECT_EQ(sum.wantedMappings, 5u);
}

TEST(PlanTest, emptyAndZeroGuests) {
  EXPECT_EQ(makePlan({}).steps().size(), 0u);
  EXPECT_EQ(makePlan({}).summary().mappings, 0u);
  Plan zeros = makePlan(*PageMap::make(7, {}));
  EXPECT_EQ(zeros.steps(), (std::vector{step(StepKind::Zero, 0, 0, 7)}));
  EXPECT_EQ(zeros.summary().mappings, 1u);
}

TEST(PlanTest, randomMapsKeepEveryInvariant) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1500; ++i) {
    PageMap map = randomMap(random, 60);
    PlanOptions options;
    options.mappings = 1 + random() % 60;
    options.leastRunPages = random() % 3;
    if (random() % 2)
      options.lazy = lazyHundreds;
    Plan plan = makePlan(map, options);
    ASSERT_NO_FATAL_FAILURE(expectRight(plan, map, options)) << i;
    EXPECT_EQ(plan, makePlan(map, options));
    auto back = Plan::decode(plan.encode());
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, plan);
  }
}

/// The most pages that any choice of runs can keep mapped.
uint64_t bestOfAll(const PageMap &map, uint64_t budget) {
  const auto &runs = map.runs();
  uint64_t best = 0;
  for (uint32_t kept = 0; kept < 1u << runs.size(); ++kept) {
    uint64_t mappings = 0, pages = 0, end = 0;
    bool anonymous = false;
    for (size_t i = 0; i <= runs.size(); ++i) {
      uint64_t start = i < runs.size() ? runs[i].guest.value : map.guestPages();
      bool copy = i < runs.size() && !(kept >> i & 1);
      mappings += !anonymous && (start > end || copy);
      anonymous |= start > end || copy;
      if (i == runs.size())
        break;
      end = start + runs[i].pages;
      if (copy)
        continue;
      ++mappings;
      pages += runs[i].pages;
      anonymous = false;
    }
    if (mappings <= budget)
      best = std::max(best, pages);
  }
  return best;
}

TEST(PlanTest, nearlyAsGoodAsTryingEverything) {
  std::mt19937_64 random(2);
  uint64_t found = 0, possible = 0, optimal = 0, all = 0;
  for (int i = 0; i < 400; ++i) {
    PageMap map = randomMap(random, 10);
    PlanOptions options;
    options.mappings = 1 + random() % 16;
    uint64_t mapped = makePlan(map, options).summary().poolPages;
    uint64_t best = bestOfAll(map, options.mappings);
    ASSERT_LE(mapped, best);
    found += mapped;
    possible += best;
    optimal += mapped == best;
    ++all;
  }
  RecordProperty("optimal", int(optimal));
  EXPECT_GE(found * 1000, possible * 995) << found << " of " << possible;
  EXPECT_GE(optimal * 100, all * 95) << optimal << " of " << all;
}

TEST(PlanTest, manyRunsArePlannedQuickly) {
  std::vector<PageRun> runs;
  for (uint64_t i = 0; i < 200'000; ++i)
    runs.push_back(run(i * 7, i * 11 % 999'983, 1 + i % 6));
  PlanOptions options;
  Plan plan = makePlan(*PageMap::make(1'400'000, runs), options);
  // 5,000 runs and as many gaps: the longest runs.
  EXPECT_LE(plan.summary().mappings, 10'000u);
  EXPECT_GE(plan.summary().poolPages, 4'999u * 6);
}

TEST(PlanTest, bytesComeBackAndNoOtherBytesDo) {
  PlanOptions options;
  options.mappings = 4;
  Plan plan =
      makePlan(*PageMap::make(20, {run(2, 7, 3), run(9, 0, 2)}), options);
  std::vector<uint8_t> bytes = plan.encode();
  auto back = Plan::decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, plan);
  EXPECT_EQ(back->summary().wantedMappings, 5u);
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= 0x10;
    auto none = Plan::decode(damaged);
    ASSERT_FALSE(none) << "byte " << i;
    EXPECT_EQ(none.error().sysErrno, EBADMSG);
    EXPECT_FALSE(Plan::decode({bytes.data(), i})) << "first " << i;
  }
}

} // namespace
