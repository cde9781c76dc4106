//===- HostPoolTest.cpp ---------------------------------------------------===//

#include "HostPool.h"
#include "PoolFixture.h"
#include <fcntl.h>
#include <thread>

using namespace spacer;
using namespace spacer::test;

namespace {

class HostPoolTest : public testing::Test {
protected:
  TemporaryFolder folder;
  std::shared_ptr<PagePool> disk = openPool(folder.path);

  void SetUp() override {
    NumberSource source(range(1, 301));
    ASSERT_TRUE(disk->add("a", source));
  }
  std::unique_ptr<HostPool> make(bool sealed = true) {
    auto host = HostPool::create(disk, 1000, sealed);
    EXPECT_TRUE(host) << host.error().context;
    return host ? std::move(*host) : nullptr;
  }
  void damage(uint64_t page) {
    UniqueFd fd(open((folder.path / "d" / "pages").c_str(), O_RDWR));
    uint64_t word = 0xbad;
    ASSERT_EQ(pwrite(fd.get(), &word, 8, off_t(page * pageBytes + 80)), 8);
  }
  static void expectPage(const HostPool &host, uint64_t p) {
    ASSERT_TRUE(host.present({p})) << p;
    EXPECT_EQ(std::memcmp(host.at({p}), pageOf(p + 1).data(), pageBytes), 0)
        << p;
  }
};

TEST_F(HostPoolTest, bringsWhatIsAskedForOnce) {
  auto host = make();
  EXPECT_EQ(host->presentPages(), 0u);
  EXPECT_EQ(host->fill({60}, 10), HostPool::Outcome::Present);
  EXPECT_EQ(host->presentPages(), 10u);
  for (uint64_t p = 60; p < 70; ++p)
    expectPage(*host, p);
  EXPECT_FALSE(host->present({59}));
  EXPECT_FALSE(host->present({70}));
  EXPECT_EQ(host->fill({0}, 300), HostPool::Outcome::Present);
  expectPage(*host, 299);
  EXPECT_EQ(host->presentPages(), 300u);
  EXPECT_EQ(host->fill({290}, 20), HostPool::Outcome::Failed);
  EXPECT_EQ(host->fill({999}, 2), HostPool::Outcome::Failed);
  EXPECT_EQ(host->fill({~0ull}, 2), HostPool::Outcome::Failed);
  EXPECT_FALSE(host->present({1ull << 60}));
}

TEST_F(HostPoolTest, aWrongPageStaysAbsentAndItsNeighboursDoNot) {
  damage(5);
  auto host = make();
  EXPECT_EQ(host->fill({0}, 20), HostPool::Outcome::Corrupt);
  EXPECT_EQ(host->presentPages(), 19u);
  EXPECT_FALSE(host->present({5}));
  expectPage(*host, 4);
  expectPage(*host, 6);
  EXPECT_EQ(host->fill({5}, 1), HostPool::Outcome::Corrupt);
  EXPECT_EQ(host->fill({6}, 14), HostPool::Outcome::Present);
}

TEST_F(HostPoolTest, coldPagesBringTheirFrame) {
  ASSERT_TRUE(disk->compress("a"));
  ASSERT_TRUE(disk->isCold({40}));
  auto host = make();
  EXPECT_EQ(host->fill({40}, 1), HostPool::Outcome::Present);
  EXPECT_EQ(host->presentPages(), 16u);
  for (uint64_t p = 32; p < 48; ++p)
    expectPage(*host, p);
}

TEST_F(HostPoolTest, clientsReadAndCannotWrite) {
  auto host = make();
  ASSERT_EQ(host->fill({0}, 1), HostPool::Outcome::Present);
  auto fd = host->clientFd();
  ASSERT_TRUE(fd);
  uint64_t word = 7;
  EXPECT_LT(pwrite(fd->get(), &word, 8, 0), 0);
  EXPECT_LT(ftruncate(fd->get(), 0), 0);
  EXPECT_EQ(mmap(nullptr, pageBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                 fd->get(), 0),
            MAP_FAILED);
  // Nor with the owner's own descriptor, opened anew for writing.
  std::string path = "/proc/self/fd/" + std::to_string(fd->get());
  UniqueFd again(open(path.c_str(), O_RDWR));
  if (again) {
    EXPECT_LT(pwrite(again.get(), &word, 8, 0), 0);
    EXPECT_EQ(mmap(nullptr, pageBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                   again.get(), 0),
              MAP_FAILED);
  }
  Mapping own(mmap(nullptr, pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE,
                   fd->get(), 0),
              pageBytes);
  ASSERT_NE(own.data(), MAP_FAILED);
  own.data()[0] ^= 1;
  EXPECT_NE(own.data()[0], host->at({0})[0]);
  expectPage(*host, 0);
}

TEST_F(HostPoolTest, aSuccessorGoesOnWithTheInheritedMapping) {
  auto first = make(false);
  ASSERT_EQ(first->fill({0}, 10), HostPool::Outcome::Present);
  // What a keeper has after fork(): a mapping made before the seal.
  uint64_t bytes = 1000 * pageBytes;
  auto mapped = [&](int fd) {
    void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_NORESERVE, fd, 0);
    return at == MAP_FAILED ? Mapping() : Mapping(at, bytes);
  };
  Mapping kept = mapped(first->pagesFd());
  ASSERT_TRUE(first->seal());
  EXPECT_FALSE(mapped(first->pagesFd()));
  UniqueFd pages(dup(first->pagesFd())), bits(dup(first->bitsFd()));
  // Half a page, as a kill leaves it: without its bit it does not count.
  std::memset(kept.data() + 20 * pageBytes, 0x55, 2048);
  first.reset();
  auto second =
      HostPool::adopt(disk, std::move(pages), std::move(bits), std::move(kept));
  ASSERT_TRUE(second) << second.error().context;
  EXPECT_EQ((*second)->presentPages(), 10u);
  EXPECT_EQ((*second)->fill({0}, 40), HostPool::Outcome::Present);
  for (uint64_t p = 0; p < 40; ++p)
    expectPage(**second, p);
}

TEST_F(HostPoolTest, aPoolThatWasMadeAnewIsNotTheSame) {
  auto first = make(false);
  ASSERT_EQ(first->fill({0}, 10), HostPool::Outcome::Present);
  uint64_t bytes = 1000 * pageBytes;
  Mapping kept(mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_NORESERVE, first->pagesFd(), 0),
               bytes);
  UniqueFd pages(dup(first->pagesFd())), bits(dup(first->bitsFd()));
  first.reset();
  disk.reset();
  std::filesystem::remove_all(folder.path / "d");
  disk = openPool(folder.path);
  NumberSource source(range(500, 801)); // other bytes at the same numbers
  ASSERT_TRUE(disk->add("a", source));
  auto second =
      HostPool::adopt(disk, std::move(pages), std::move(bits), std::move(kept));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().sysErrno, ESTALE) << second.error().context;
}

TEST_F(HostPoolTest, partsThatDoNotFitAreRefused) {
  auto host = make(false), other = make(false);
  uint64_t bytes = 1000 * pageBytes;
  auto tryAdopt = [&](int pages, int bits, Mapping memory) {
    return bool(HostPool::adopt(disk, UniqueFd(dup(pages)), UniqueFd(dup(bits)),
                                std::move(memory)));
  };
  auto mapped = [](int fd, uint64_t bytes, int protection, int flags) {
    return Mapping(mmap(nullptr, bytes, protection, flags, fd, 0), bytes);
  };
  int rw = PROT_READ | PROT_WRITE;
  EXPECT_FALSE(tryAdopt(host->pagesFd(), other->bitsFd(),
                        mapped(host->pagesFd(), bytes, rw, MAP_SHARED)));
  EXPECT_FALSE(tryAdopt(host->pagesFd(), host->bitsFd(),
                        mapped(other->pagesFd(), bytes, rw, MAP_SHARED)));
  EXPECT_FALSE(tryAdopt(host->pagesFd(), host->bitsFd(),
                        mapped(host->pagesFd(), bytes, rw, MAP_PRIVATE)));
  EXPECT_FALSE(tryAdopt(host->pagesFd(), host->bitsFd(),
                        mapped(host->pagesFd(), bytes, PROT_READ, MAP_SHARED)));
  EXPECT_FALSE(tryAdopt(host->pagesFd(), host->bitsFd(),
                        mapped(host->pagesFd(), bytes / 2, rw, MAP_SHARED)));
  EXPECT_FALSE(tryAdopt(host->pagesFd(), host->pagesFd(),
                        mapped(host->pagesFd(), bytes, rw, MAP_SHARED)));
  EXPECT_TRUE(tryAdopt(host->pagesFd(), host->bitsFd(),
                       mapped(host->pagesFd(), bytes, rw, MAP_SHARED)));
  EXPECT_FALSE(HostPool::create(disk, 0));
  EXPECT_FALSE(HostPool::create(disk, ~0ull));
}

TEST_F(HostPoolTest, threadsThatWantTheSamePagesAgree) {
  auto host = make();
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 300; ++i) {
        uint64_t p = t % 2 ? i : 299 - i;
        if (host->fill({p}, 1) != HostPool::Outcome::Present ||
            std::memcmp(host->at({p}), pageOf(p + 1).data(), pageBytes) != 0)
          ++bad;
      }
    });
  for (auto &t : threads)
    t.join();
  EXPECT_EQ(bad, 0);
}

} // namespace
