//===- PoolFixture.h - what tests of pools share --------------------------===//

#ifndef SPACER_TEST_POOLFIXTURE_H
#define SPACER_TEST_POOLFIXTURE_H

#include "PagePool.h"
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <vector>

namespace spacer::test {

/// A folder that goes with the object.
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "spacer-test-XXXXXX")
            .string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code none;
    std::filesystem::remove_all(path, none);
  }
};

/// A page that differs from that of any other number; 0 is the zero page.
/// Its content is half text, so that it compresses.
inline std::vector<uint8_t> pageOf(uint64_t number) {
  std::vector<uint8_t> page(pageBytes);
  uint64_t x = number * 0x9e3779b97f4a7c15;
  if (number)
    for (size_t i = 0; i < pageBytes; ++i) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      page[i] = i % 2 ? 'a' : uint8_t(x >> 32);
    }
  return page;
}
inline std::vector<uint8_t> pagesOf(const std::vector<uint64_t> &numbers) {
  std::vector<uint8_t> all;
  for (uint64_t n : numbers) {
    auto page = pageOf(n);
    all.insert(all.end(), page.begin(), page.end());
  }
  return all;
}
inline std::vector<uint64_t> range(uint64_t first, uint64_t end) {
  std::vector<uint64_t> all;
  while (first < end)
    all.push_back(first++);
  return all;
}

/// Guest memory from numbers, in chunks of \p chunkPages.
struct NumberSource final : PageSource {
  std::vector<uint8_t> memory;
  uint64_t chunkPages, at = 0;
  explicit NumberSource(const std::vector<uint64_t> &numbers,
                        uint64_t chunkPages = 7)
      : memory(pagesOf(numbers)), chunkPages(chunkPages) {}
  ObjectKind kind() const override { return ObjectKind::Snapshot; }
  uint64_t guestPages() const override { return memory.size() / pageBytes; }
  uint64_t bytesToRead() const override { return memory.size(); }
  Result<PageChunk> next() override {
    uint64_t n = std::min(chunkPages, guestPages() - at);
    PageChunk c{{at}, {memory.data() + at * pageBytes, n * pageBytes}, {}};
    at += n;
    return c;
  }
};

/// What the object's memory holds, through map() and read().
inline Result<std::vector<uint8_t>> contentOf(const PagePool &pool,
                                              std::string_view object) {
  auto map = pool.map(object);
  if (!map)
    return map.takeError();
  std::vector<uint8_t> all(map->guestPages() * pageBytes);
  for (const PageRun &r : map->runs())
    if (auto done = pool.read(r.pool, {all.data() + r.guest.value * pageBytes,
                                       r.pages * pageBytes});
        !done)
      return done.takeError();
  return all;
}

inline std::unique_ptr<PagePool>
openPool(const std::filesystem::path &folder,
         PagePool::Access access = PagePool::Access::Write) {
  auto pool = PagePool::open(folder, "d", access);
  EXPECT_TRUE(pool) << pool.error().context;
  return pool ? std::move(*pool) : nullptr;
}

inline void expectWhole(const PagePool &pool) {
  auto v = pool.verify();
  ASSERT_TRUE(v) << v.error().context;
  for (auto &p : v->problems)
    ADD_FAILURE() << p;
}

} // namespace spacer::test

#endif
