//===- WorkingSetTest.cpp -------------------------------------------------===//

#include "WorkingSet.h"
#include <gtest/gtest.h>

using namespace spacer;

namespace {

PageOrder order(std::initializer_list<std::pair<uint64_t, uint64_t>> list) {
  PageOrder out;
  for (auto [page, pages] : list)
    out.push_back({{page}, pages});
  return out;
}

TEST(WorkingSetTest, joinsInOrderWithoutRepeats) {
  EXPECT_EQ(joinOrders(order({{5, 2}, {0, 1}}), order({{4, 4}, {0, 3}}), 100),
            order({{5, 2}, {0, 1}, {4, 1}, {7, 1}, {1, 2}}));
  EXPECT_EQ(joinOrders({}, order({{1, 1}, {2, 3}}), 100), order({{1, 4}}));
  EXPECT_EQ(joinOrders(order({{1, 9}, {3, 2}}), {}, 100), order({{1, 9}}));
}

TEST(WorkingSetTest, endsWithTheGuest) {
  EXPECT_EQ(joinOrders(order({{8, 5}, {10, 1}, {~0ull, 7}, {3, 0}}), {}, 10),
            order({{8, 2}}));
}

TEST(WorkingSetTest, comesBackFromTextAndMemfd) {
  PageOrder some = order({{5, 2}, {0, 1}, {1ull << 40, 3}});
  EXPECT_EQ(encodeOrder(some), "[[5,2],[0,1],[1099511627776,3]]");
  auto back = decodeOrder(encodeOrder(some));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, some);
  EXPECT_EQ(*decodeOrder(encodeOrder({})), PageOrder{});
  auto memory = storeOrder(some);
  ASSERT_TRUE(memory);
  EXPECT_EQ(loadOrder(memory->get()), some);
  EXPECT_EQ(pagesOf(some), 6u);
}

TEST(WorkingSetTest, refusesOtherText) {
  for (const char *text :
       {"{}", "7", "[7]", "[[1]]", "[[1,2,3]]", "[[1,0]]", "[[-1,2]]",
        "[[1.5,2]]", "[[1,2]", "[[[[[[", "[[\"1\",2]]", "x"})
    EXPECT_FALSE(decodeOrder(text)) << text;
  EXPECT_TRUE(decodeOrder("")->empty());
  EXPECT_FALSE(decodeOrder(std::string(1 << 20, '[')));
}

} // namespace
