//===- PageMapTest.cpp ----------------------------------------------------===//

#include "PageMap.h"
#include <gtest/gtest.h>

using namespace spacer;

namespace {

PageRun run(uint64_t guest, uint64_t pool, uint64_t pages) {
  return {{guest}, {pool}, pages};
}

TEST(PageMapTest, neighboursThatContinueBecomeOneRun) {
  auto map = PageMap::make(10, {run(1, 7, 2), run(3, 9, 1), run(4, 20, 2)});
  ASSERT_TRUE(map);
  EXPECT_EQ(map->runs(), (std::vector{run(1, 7, 3), run(4, 20, 2)}));
  EXPECT_EQ(map->poolPages(), 5u);
}

TEST(PageMapTest, everyPageIsInARunOrZero) {
  auto map = *PageMap::make(10, {run(1, 7, 3), run(4, 20, 2), run(9, 0, 1)});
  const int64_t expected[] = {-1, 7, 8, 9, 20, 21, -1, -1, -1, 0};
  const uint64_t left[] = {1, 3, 2, 1, 2, 1, 3, 2, 1, 1};
  for (uint64_t p = 0; p < 10; ++p) {
    PageMap::Piece piece = map.at({p});
    EXPECT_EQ(piece.pool ? int64_t(piece.pool->value) : -1, expected[p]) << p;
    EXPECT_EQ(piece.pages, left[p]) << p;
  }
}

TEST(PageMapTest, refusesWhatIsNoMap) {
  EXPECT_FALSE(PageMap::make(10, {run(3, 0, 0)}));
  EXPECT_FALSE(PageMap::make(10, {run(3, 0, 2), run(4, 9, 1)}));
  EXPECT_FALSE(PageMap::make(10, {run(4, 0, 1), run(2, 9, 1)}));
  EXPECT_FALSE(PageMap::make(10, {run(9, 0, 2)}));
  EXPECT_FALSE(PageMap::make(10, {run(~0ull, 0, 2)}));
  EXPECT_FALSE(PageMap::make(10, {run(1, ~0ull, 2)}));
  EXPECT_FALSE(PageMap::make(~0ull, {}));
}

TEST(PageMapTest, bytesComeBackAndNoOtherBytesDo) {
  auto map = *PageMap::make(1000, {run(1, 7, 3), run(4, 20, 2)});
  std::vector<uint8_t> bytes = map.encode();
  auto back = PageMap::decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, map);
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= 0x10;
    EXPECT_FALSE(PageMap::decode(damaged)) << "byte " << i;
    EXPECT_FALSE(PageMap::decode({bytes.data(), i})) << "first " << i;
  }
}

} // namespace
