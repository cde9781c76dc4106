//===- PlacementTest.cpp - where units stand ------------------------------===//

#include "Placement.h"
#include "PageImage.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <deque>
#include <filesystem>

using namespace llvm;
using namespace spacer;

namespace {

class PlacementTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/placement-test-XXXXXX";
    dir = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(dir); }

  std::unique_ptr<Atlas> open() {
    return cantFail(Atlas::open(dir + "/a.atlas", AtlasMode::Grow,
                                Window{0x1000000, 0x7000000}));
  }
  /// Adds a read-only unit with the given bytes; a name makes it an object.
  uint32_t add(Model &m, uint32_t library, std::string name,
               std::vector<uint8_t> bytes, bool isLineTable = false) {
    contents.push_back(std::move(bytes));
    Unit u;
    u.kind = UnitKind::Rodata;
    u.library = library;
    u.named = !name.empty();
    u.name = std::move(name);
    u.align = 4;
    u.content = contents.back();
    u.bytes = u.content.size();
    u.isLineTable = isLineTable;
    m.units.push_back(u);
    return m.units.size() - 1;
  }
  /// Places, and records the page of each unit, as a link would.
  void link(Model &m) {
    std::unique_ptr<Atlas> atlas = open();
    cantFail(place(m, *atlas).takeError());
    std::vector<std::vector<uint8_t>> bytes;
    std::vector<RunBytes> runs;
    std::vector<LiveRange> live;
    std::vector<spacer::Run> mapped = mapRuns(m, *atlas, {}, 32);
    bytes.reserve(mapped.size());
    for (const spacer::Run &r : mapped) {
      bytes.emplace_back(r.bytes, 0);
      for (const Unit &u : m.units)
        if (u.address >= r.base && u.address < r.base + r.bytes)
          std::copy(u.content.begin(), u.content.end(),
                    bytes.back().begin() + (u.address - r.base));
      runs.push_back({r, bytes.back().data()});
    }
    for (const Unit &u : m.units)
      live.push_back({u.address, u.bytes, false});
    llvm::sort(live, [](const LiveRange &a, const LiveRange &b) {
      return a.address < b.address;
    });
    pages = cantFail(finishPages(*atlas, runs, live));
    cantFail(atlas->commit());
  }

  std::string dir;
  std::deque<std::vector<uint8_t>> contents;
  FinishedPages pages;
};

std::vector<uint8_t> filled(size_t n, uint8_t value) {
  return std::vector<uint8_t>(n, value);
}

Model twoLibraries() {
  Model m;
  m.libraries = {"", "one", "two"};
  return m;
}

TEST_F(PlacementTest, LineTablesStandTogetherBehindTheRest) {
  Model m = twoLibraries();
  uint32_t a = add(m, 1, "f.spacer.lines", filled(8, 1), true);
  uint32_t b = add(m, 2, "table", filled(600, 2));
  uint32_t c = add(m, 2, "g.spacer.lines", filled(8, 3), true);
  uint32_t d = add(m, 1, "", filled(700, 4));
  link(m);
  EXPECT_GT(m.units[a].address, m.units[b].address);
  EXPECT_GT(m.units[a].address, m.units[d].address);
  EXPECT_EQ(m.units[c].address, m.units[a].address + 8);
}

TEST_F(PlacementTest, LineTablesOfALibraryDoNotCrossAPage) {
  Model m = twoLibraries();
  add(m, 1, "big", filled(4000, 1));
  uint32_t a = add(m, 1, "f.spacer.lines", filled(80, 1), true);
  uint32_t b = add(m, 1, "g.spacer.lines", filled(80, 1), true);
  link(m);
  EXPECT_EQ(m.units[a].address % pageBytes, 0u);
  EXPECT_EQ(m.units[b].address, m.units[a].address + 80);
}

TEST_F(PlacementTest, NewUnitsFillThePageOfChangedLineTables) {
  Model first = twoLibraries();
  add(first, 1, "table", filled(600, 2));
  add(first, 1, "f.spacer.lines", filled(8, 1), true);
  link(first);
  Model second = twoLibraries();
  add(second, 1, "table", filled(600, 2));
  uint32_t lines = add(second, 1, "f.spacer.lines", filled(8, 9), true);
  uint32_t fresh = add(second, 1, "", filled(300, 5));
  uint32_t large = add(second, 1, "", filled(4000, 6));
  link(second);
  uint64_t page = alignDown(second.units[lines].address, pageBytes);
  EXPECT_EQ(alignDown(second.units[fresh].address, pageBytes), page);
  EXPECT_GE(second.units[fresh].address, second.units[lines].address + 8);
  EXPECT_NE(alignDown(second.units[large].address, pageBytes), page);
  EXPECT_EQ(pages.newVariants, 1u);
  EXPECT_EQ(pages.newPages, 1u);
  // A third version must not be given the same bytes.
  Model third = twoLibraries();
  add(third, 1, "f.spacer.lines", filled(8, 7), true);
  uint32_t more = add(third, 1, "", filled(100, 8));
  link(third);
  EXPECT_GE(third.units[more].address, second.units[fresh].address + 300);
}

TEST_F(PlacementTest, NewUnitsLeavePagesOfUnchangedLineTablesAlone) {
  Model first = twoLibraries();
  add(first, 1, "f.spacer.lines", filled(8, 1), true);
  link(first);
  Model second = twoLibraries();
  uint32_t lines = add(second, 1, "f.spacer.lines", filled(8, 1), true);
  uint32_t fresh = add(second, 1, "", filled(300, 5));
  link(second);
  EXPECT_NE(alignDown(second.units[fresh].address, pageBytes),
            alignDown(second.units[lines].address, pageBytes));
  EXPECT_EQ(pages.newVariants, 0u);
}

TEST_F(PlacementTest, RunsAreJoinedAcrossTheSmallestGaps) {
  // Eleven objects in a row; big ones separate those that are used later.
  Model first = twoLibraries();
  std::vector<uint64_t> sizes = {100, 9 * 4096, 100, 6 * 4096, 100, 8 * 4096,
                                 100, 6 * 4096, 100, 3 * 4096, 100};
  for (size_t i = 0; i != sizes.size(); ++i)
    add(first, 1, "object" + std::string(1, char('a' + i)),
        filled(sizes[i], uint8_t(i + 1)));
  link(first);
  Model second = twoLibraries();
  for (size_t i = 0; i < sizes.size(); i += 2)
    add(second, 1, "object" + std::string(1, char('a' + i)),
        filled(sizes[i], uint8_t(i + 1)));
  std::unique_ptr<Atlas> atlas = open();
  cantFail(place(second, *atlas).takeError());
  // The gap of three pages costs less than a mapping: joined in any case.
  auto pagesOf = [&](unsigned maxRuns) {
    std::vector<uint64_t> bytes;
    for (const spacer::Run &r : mapRuns(second, *atlas, {}, maxRuns))
      bytes.push_back(r.bytes / pageBytes);
    return bytes;
  };
  auto sum = [](const std::vector<uint64_t> &v) {
    uint64_t n = 0;
    for (uint64_t x : v)
      n += x;
    return n;
  };
  std::vector<uint64_t> all = pagesOf(100);
  ASSERT_EQ(all.size(), 5u);
  uint64_t used = sum(all);
  for (unsigned most = 4; most; --most)
    EXPECT_EQ(pagesOf(most).size(), most);
  // An object of n pages leaves a gap of n - 1 between its neighbours' pages.
  EXPECT_EQ(sum(pagesOf(4)), used + 5);
  EXPECT_EQ(pagesOf(4)[1], 1 + 5 + 1u); // the lower of two equal ones
  EXPECT_EQ(sum(pagesOf(3)), used + 5 + 5);
  EXPECT_EQ(sum(pagesOf(2)), used + 5 + 5 + 7);
  EXPECT_EQ(sum(pagesOf(1)), used + 5 + 5 + 7 + 8);
  EXPECT_EQ(pagesOf(0).size(), 1u); // no fewer than one
}

TEST(EstimatedHeatTest, GrowsWithCallsAndFallsWithSize) {
  EXPECT_LT(estimatedHeat(1, 64), estimatedHeat(16, 64));
  EXPECT_LT(estimatedHeat(16, 64), estimatedHeat(4096, 64));
  EXPECT_GT(estimatedHeat(16, 64), estimatedHeat(16, 640));
  // Less than in proportion: only the magnitude is known.
  EXPECT_LT(estimatedHeat(4096, 64), 16 * estimatedHeat(16, 64));
  // Below a slot's size there is no difference, and nothing overflows.
  EXPECT_EQ(estimatedHeat(16, 4), estimatedHeat(16, 16));
  EXPECT_GT(estimatedHeat(UINT64_MAX / 2, 16), estimatedHeat(1 << 30, 16));
}

} // namespace
