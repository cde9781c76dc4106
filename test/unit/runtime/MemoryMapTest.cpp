//===- MemoryMapTest.cpp --------------------------------------------------===//

#include "MemoryMap.h"
#include "Kernel.h"
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sys/ioctl.h>
#include <sys/syscall.h>

using namespace spacer;

namespace {

constexpr uint64_t poolPageCount = 300;

/// Page n holds bytes that only page n has.
std::vector<uint8_t> pageContent(uint64_t page) {
  std::vector<uint8_t> out(pageBytes);
  for (size_t i = 0; i < pageBytes; ++i)
    out[i] = uint8_t(page * 31 + i * (page + 3) + (i >> 8));
  std::memcpy(out.data(), &page, sizeof page);
  return out;
}

class MemoryMapTest : public testing::Test {
protected:
  void SetUp() override {
    pool = UniqueFd(memfd_create("pool", MFD_CLOEXEC));
    for (uint64_t p = 0; p < poolPageCount; ++p) {
      auto bytes = pageContent(p);
      content.insert(content.end(), bytes.begin(), bytes.end());
    }
    ASSERT_EQ(pwrite(pool.get(), content.data(), content.size(), 0),
              ssize_t(content.size()));
  }

  std::vector<uint8_t> expected(const PageMap &map) const {
    std::vector<uint8_t> out(map.guestPages() * pageBytes);
    for (const PageRun &r : map.runs())
      std::memcpy(&out[r.guest.value * pageBytes],
                  &content[r.pool.value * pageBytes], r.pages * pageBytes);
    return out;
  }

  /// A range with guards on both sides, which nothing merges with.
  Mapping range(uint64_t pages) {
    uint64_t bytes = (pages + 2) * pageBytes;
    void *p =
        mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(p, MAP_FAILED);
    return {p, bytes};
  }
  static HostAddr inside(const Mapping &m) {
    return {reinterpret_cast<uint64_t>(m.data()) + pageBytes};
  }

  UniqueFd pool;
  std::vector<uint8_t> content;
};

uint64_t mappingsIn(HostAddr start, uint64_t bytes) {
  std::ifstream maps("/proc/self/maps");
  uint64_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    uint64_t from = std::stoull(line, nullptr, 16);
    uint64_t to = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    count += from < start.value + bytes && to > start.value;
  }
  return count;
}

std::span<const uint8_t> view(HostAddr start, uint64_t bytes) {
  return {reinterpret_cast<const uint8_t *>(start.value), bytes};
}

bool equal(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

PageMap randomMap(std::mt19937_64 &random) {
  std::vector<PageRun> runs;
  uint64_t guest = random() % 3, count = random() % 40;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t pages = 1 + random() % (random() % 4 ? 3 : 40);
    runs.push_back({{guest}, {random() % (poolPageCount - pages)}, pages});
    guest += pages + (random() % 2 ? 0 : random() % 10);
  }
  return *PageMap::make(guest + random() % 3, runs);
}

TEST_F(MemoryMapTest, memoryIsWhatTheMapSaysInAsManyMappingsAsPlanned) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 150; ++i) {
    PageMap map = randomMap(random);
    PlanOptions options;
    options.mappings = 1 + random() % 50;
    Plan plan = makePlan(map, options);
    uint64_t bytes = map.guestPages() * pageBytes;
    Mapping memory = range(map.guestPages());
    auto lazy = mapPlan(plan, pool.get(), inside(memory));
    ASSERT_TRUE(lazy) << lazy.error().context;
    EXPECT_TRUE(lazy->empty());
    ASSERT_EQ(mappingsIn(inside(memory), bytes), plan.summary().mappings);
    ASSERT_TRUE(equal(view(inside(memory), bytes), expected(map))) << i;
    ASSERT_EQ(mappingsIn(inside(memory), bytes), plan.summary().mappings);
  }
}

TEST_F(MemoryMapTest, writesStayPrivate) {
  auto map = *PageMap::make(8, {{{1}, {5}, 4}, {{6}, {5}, 1}});
  auto a = mapPlan(makePlan(map), pool.get());
  auto b = mapPlan(makePlan(map), pool.get());
  ASSERT_TRUE(a && b);
  std::memset(a->memory.data(), 0x5a, a->memory.size());
  EXPECT_TRUE(equal(b->memory.bytes(), expected(map)));
  std::vector<uint8_t> now(content.size());
  ASSERT_EQ(pread(pool.get(), now.data(), now.size(), 0), ssize_t(now.size()));
  EXPECT_EQ(now, content);
}

TEST_F(MemoryMapTest, lazyRangesAreOneMappingEach) {
  PlanOptions options;
  options.lazy = [](PoolPage p) {
    return std::pair(p.value / 10 % 2 == 1, 10 - p.value % 10);
  };
  auto map = *PageMap::make(
      80, {{{3}, {5}, 40}, {{43}, {110}, 5}, {{48}, {130}, 5}, {{60}, {9}, 2}});
  Plan plan = makePlan(map, options);
  Mapping memory = range(80);
  auto lazy = mapPlan(plan, pool.get(), inside(memory));
  ASSERT_TRUE(lazy);
  uint64_t pages = 0;
  for (const LazyRange &r : *lazy) {
    EXPECT_EQ(r.start, inside(memory) + r.guest.value * pageBytes);
    EXPECT_TRUE(options.lazy(*map.at(r.guest).pool).first);
    pages += r.bytes / pageBytes;
  }
  EXPECT_EQ(pages, plan.summary().lazyPages);

  UniqueFd uffd(int(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY)));
  if (!uffd)
    GTEST_SKIP() << "userfaultfd: " << std::strerror(errno);
  uffdio_api api{UFFD_API, 0, 0};
  ASSERT_EQ(ioctl(uffd.get(), UFFDIO_API, &api), 0);
  for (const LazyRange &r : *lazy) {
    uffdio_register reg{
        {r.start.value, r.bytes}, UFFDIO_REGISTER_MODE_MISSING, 0};
    ASSERT_EQ(ioctl(uffd.get(), UFFDIO_REGISTER, &reg), 0);
  }
  EXPECT_EQ(mappingsIn(inside(memory), 80 * pageBytes),
            plan.summary().mappings);
}

TEST_F(MemoryMapTest, withAReaderNothingStaysLazy) {
  PlanOptions options;
  options.lazy = [](PoolPage p) {
    return std::pair(p.value / 10 % 2 == 1, 10 - p.value % 10);
  };
  options.mappings = 5;
  auto map = *PageMap::make(80, {{{3}, {5}, 40}, {{60}, {9}, 2}});
  Plan plan = makePlan(map, options);
  ASSERT_TRUE(plan.hasLazy());
  uint64_t read = 0;
  PageReader reader = [&](PoolPage first, std::span<uint8_t> out) {
    std::memcpy(out.data(), &content[first.value * pageBytes], out.size());
    read += out.size() / pageBytes;
    return Result<void>();
  };
  auto guest = mapPlan(plan, pool.get(), reader);
  ASSERT_TRUE(guest);
  EXPECT_TRUE(guest->lazy.empty());
  EXPECT_TRUE(equal(guest->memory.bytes(), expected(map)));
  EXPECT_EQ(read, plan.summary().copyPages + plan.summary().lazyPages);

  PageReader broken = [](PoolPage, std::span<uint8_t>) -> Result<void> {
    return Error{EBADMSG, "page 1 is damaged"};
  };
  auto none = mapPlan(plan, pool.get(), broken);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().context, "page 1 is damaged");
}

TEST_F(MemoryMapTest, aPoolThatIsTooShortIsRefusedAndLeavesZeros) {
  auto map = *PageMap::make(8, {{{1}, {5}, 4}, {{6}, {poolPageCount}, 1}});
  for (uint64_t budget : {1, 100}) {
    PlanOptions options;
    options.mappings = budget;
    Mapping memory = range(8);
    auto lazy = mapPlan(makePlan(map, options), pool.get(), inside(memory));
    ASSERT_FALSE(lazy);
    EXPECT_EQ(lazy.error().sysErrno, EBADMSG);
    EXPECT_TRUE(equal(view(inside(memory), 8 * pageBytes),
                      std::vector<uint8_t>(8 * pageBytes)));
  }
}

TEST_F(MemoryMapTest, aFailureHalfWayLeavesZeros) {
  auto map = *PageMap::make(8, {{{1}, {5}, 4}});
  UniqueFd writeOnly(
      open(("/proc/self/fd/" + std::to_string(pool.get())).c_str(),
           O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(writeOnly);
  Mapping memory = range(8);
  auto lazy = mapPlan(makePlan(map), writeOnly.get(), inside(memory));
  ASSERT_FALSE(lazy);
  EXPECT_EQ(lazy.error().sysErrno, EACCES);
  EXPECT_TRUE(equal(view(inside(memory), 8 * pageBytes),
                    std::vector<uint8_t>(8 * pageBytes)));
  EXPECT_EQ(
      mapPlan(makePlan(map), pool.get(), inside(memory) + 1).error().sysErrno,
      EINVAL);
}

TEST_F(MemoryMapTest, readOnlyMemory) {
  auto map = *PageMap::make(8, {{{1}, {5}, 4}, {{6}, {20}, 1}});
  PlanOptions options;
  options.mappings = 3;
  Mapping memory = range(8);
  Plan plan = makePlan(map, options);
  ASSERT_EQ(plan.summary().copyPages, 1u);
  ASSERT_TRUE(mapPlan(plan, pool.get(), inside(memory), PROT_READ));
  EXPECT_TRUE(equal(view(inside(memory), 8 * pageBytes), expected(map)));
  EXPECT_EQ(mappingsIn(inside(memory), 8 * pageBytes), 3u);
  // The kernel refuses to write there; the process does not die of it.
  EXPECT_EQ(
      pread(pool.get(), reinterpret_cast<void *>(inside(memory).value), 8, 0),
      -1);
}

TEST_F(MemoryMapTest, discardedPagesAreZeroWhereverTheyCameFrom) {
  auto map = *PageMap::make(8, {{{1}, {5}, 6}});
  auto guest = mapPlan(makePlan(map), pool.get());
  ASSERT_TRUE(guest);
  std::memset(guest->memory.data() + 3 * pageBytes, 1, pageBytes);
  std::vector<uint8_t> want = expected(map);
  HostAddr base{reinterpret_cast<uint64_t>(guest->memory.data())};
  for (auto [first, pages] : {std::pair(2, 3), {0, 1}, {7, 1}, {4, 2}}) {
    ASSERT_TRUE(discard(base + first * pageBytes, pages * pageBytes));
    std::memset(&want[first * pageBytes], 0, pages * pageBytes);
    EXPECT_TRUE(equal(guest->memory.bytes(), want));
  }
  EXPECT_FALSE(discard(base + 1, pageBytes));
  EXPECT_FALSE(discard(base, 100));
  EXPECT_TRUE(discard(base, 0));
}

} // namespace
