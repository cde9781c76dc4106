//===- PagePoolTest.cpp ---------------------------------------------------===//

#include "PoolFixture.h"
#include <algorithm>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <pthread.h>
#include <random>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>

using namespace spacer;
using namespace spacer::test;

namespace {

class PagePoolTest : public testing::Test {
protected:
  TemporaryFolder folder;
  std::unique_ptr<PagePool> pool = openPool(folder.path);

  ImportSummary add(std::string_view name, const std::vector<uint64_t> &n) {
    NumberSource source(n);
    auto done = pool->add(name, source);
    EXPECT_TRUE(done) << done.error().context;
    return done ? *done : ImportSummary{};
  }
  void expectContent(const PagePool &from, std::string_view name,
                     const std::vector<uint64_t> &numbers) {
    auto found = contentOf(from, name);
    ASSERT_TRUE(found) << found.error().context;
    EXPECT_TRUE(*found == pagesOf(numbers)) << name << " has other bytes";
  }
  std::filesystem::path file(const char *name) {
    return folder.path / "d" / name;
  }
  void damage(const char *name, uint64_t offset) {
    std::fstream f(file(name), std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(int64_t(offset));
    char c = char(f.get() ^ 0x40);
    f.seekp(int64_t(offset));
    f.put(c);
  }
};

TEST_F(PagePoolTest, keepsEachPageOnceAndZeroPagesNever) {
  ImportSummary a = add("a", {1, 2, 0, 2, 3});
  EXPECT_EQ(a.newPages, 3u);
  EXPECT_EQ(a.sharedPages, 1u);
  EXPECT_EQ(a.zeroPages, 1u);
  EXPECT_EQ(a.guestPages, 5u);
  ImportSummary b = add("b", {0, 9, 3, 2, 0});
  EXPECT_EQ(b.newPages, 1u);
  EXPECT_EQ(b.sharedPages, 2u);
  EXPECT_EQ(b.collisions, 0u);
  EXPECT_EQ(pool->pageCount(), 4u);
  expectContent(*pool, "a", {1, 2, 0, 2, 3});
  expectContent(*pool, "b", {0, 9, 3, 2, 0});
  expectWhole(*pool);
}

TEST_F(PagePoolTest, findsPagesOfLongImportsAgain) {
  auto numbers = range(1, 5000);
  EXPECT_EQ(add("a", numbers).newPages, 4999u);
  pool.reset();
  pool = openPool(folder.path); // the table is built anew
  EXPECT_EQ(add("b", numbers).newPages, 0u);
  std::reverse(numbers.begin(), numbers.end());
  EXPECT_EQ(add("c", numbers).newPages, 0u);
  expectContent(*pool, "c", numbers);
  EXPECT_EQ(pool->map("b")->runs().size(), 1u);
}

TEST_F(PagePoolTest, readersSeeWhatWasCommitted) {
  add("a", {1, 2});
  auto reader = openPool(folder.path, PagePool::Access::Read);
  add("b", {3});
  EXPECT_EQ(reader->pageCount(), 2u);
  expectContent(*reader, "a", {1, 2});
  ASSERT_TRUE(reader->refresh());
  EXPECT_EQ(reader->pageCount(), 3u);
  expectContent(*reader, "b", {3});
  NumberSource source({1});
  EXPECT_EQ(reader->add("c", source).error().sysErrno, EBADF);
}

TEST_F(PagePoolTest, threadsReadWhileThePoolIsRefreshed) {
  add("a", range(1, 60));
  auto reader = openPool(folder.path, PagePool::Access::Read);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      do {
        expectContent(*reader, "a", range(1, 60));
        (void)reader->isCold({reader->pageCount() - 1});
        (void)reader->digest({reader->pageCount() - 1});
      } while (!stop);
    });
  for (int i = 0; i < 3; ++i) {
    add("b" + std::to_string(i), range(100, 120 + uint64_t(i)));
    EXPECT_TRUE(reader->refresh());
    EXPECT_TRUE(pool->compress("a"));
    EXPECT_TRUE(reader->refresh());
    EXPECT_TRUE(pool->thaw("a"));
  }
  stop = true;
  for (auto &t : threads)
    t.join();
}

TEST_F(PagePoolTest, saysWhatCannotBe) {
  add("a", {1});
  NumberSource source({1});
  EXPECT_EQ(pool->add("a", source).error().sysErrno, EEXIST);
  EXPECT_EQ(pool->add("../a", source).error().sysErrno, EINVAL);
  EXPECT_EQ(pool->add(".a", source).error().sysErrno, EINVAL);
  EXPECT_EQ(pool->add(std::string(201, 'a'), source).error().sysErrno, EINVAL);
  EXPECT_EQ(pool->map("b").error().sysErrno, ENOENT);
  EXPECT_EQ(pool->remove("b").error().sysErrno, ENOENT);
  EXPECT_EQ(pool->setAttribute("b", "k", "1").error().sysErrno, ENOENT);
  EXPECT_EQ(pool->attribute("b", "k").error().sysErrno, ENOENT);
  std::vector<uint8_t> page(pageBytes);
  EXPECT_EQ(pool->read({1}, page).error().sysErrno, EINVAL);
  EXPECT_EQ(pool->read({~0ull}, page).error().sysErrno, EINVAL);
  auto none = PagePool::open(folder.path, "e", PagePool::Access::Read);
  EXPECT_EQ(none.error().sysErrno, ENOENT);
  auto bad = PagePool::open(folder.path, "a/b", PagePool::Access::Write);
  EXPECT_EQ(bad.error().sysErrno, EINVAL);
}

TEST_F(PagePoolTest, attributesStayWithTheirObject) {
  add("a", {1});
  EXPECT_EQ(*pool->attribute("a", "k"), "");
  ASSERT_TRUE(pool->setAttribute("a", "k", "{\"x\": 1}"));
  ASSERT_TRUE(pool->setAttribute("a", "k", "{\"x\": 2}"));
  EXPECT_EQ(*pool->attribute("a", "k"), "{\"x\": 2}");
  ASSERT_TRUE(pool->remove("a"));
  add("a", {1});
  EXPECT_EQ(*pool->attribute("a", "k"), "");
}

TEST_F(PagePoolTest, countsWhatIsAnObjectsOwn) {
  add("a", {1, 2, 3, 3, 0});
  add("b", {3, 4});
  add("c", {4, 5, 6});
  auto all = *pool->objects();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].guestPages, 5u);
  EXPECT_EQ(all[0].poolPages, 4u);
  EXPECT_EQ(all[0].distinctPages, 3u);
  EXPECT_EQ(all[0].ownPages, 2u);
  EXPECT_EQ(all[1].ownPages, 0u);
  EXPECT_EQ(all[2].ownPages, 2u);
}

TEST_F(PagePoolTest, aPageOfEqualDigestAndOtherBytesIsNotShared) {
  add("a", {1, 2});
  damage("pages", 17); // as if somebody had planted it
  ImportSummary b = add("b", {1, 2});
  EXPECT_EQ(b.newPages, 1u);
  EXPECT_EQ(b.sharedPages, 1u);
  expectContent(*pool, "b", {1, 2});
  EXPECT_EQ(contentOf(*pool, "a").error().sysErrno, EBADMSG);
  // The one that is right is found from now on.
  EXPECT_EQ(add("c", {1, 1}).newPages, 0u);
}

TEST_F(PagePoolTest, readZeroesTheDamagedPageAndNoOther) {
  add("a", {1, 2, 3});
  damage("pages", pageBytes + 4095);
  std::vector<uint8_t> out(3 * pageBytes, 0xee);
  auto done = pool->read({0}, out);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().sysErrno, EBADMSG);
  EXPECT_NE(done.error().context.find("page 1 has digest"), std::string::npos);
  EXPECT_TRUE(out == pagesOf({1, 0, 3}));
}

TEST_F(PagePoolTest, gcFreesWhatNobodyRefersTo) {
  add("a", range(1, 200));
  add("b", range(150, 300));
  ASSERT_TRUE(pool->remove("a"));
  auto done = pool->gc();
  ASSERT_TRUE(done) << done.error().context;
  EXPECT_EQ(done->freedPages, 149u);
  EXPECT_EQ(done->keptPages, 150u);
  EXPECT_GT(done->freedBytes, 100 * pageBytes);
  expectContent(*pool, "b", range(150, 300));
  expectWhole(*pool);
  std::vector<uint8_t> page(pageBytes);
  EXPECT_EQ(pool->read({0}, page).error().sysErrno, EBADMSG);
  // Freed pages are not found again, and their numbers not used again.
  EXPECT_EQ(add("c", range(1, 200)).newPages, 149u);
  expectContent(*pool, "c", range(1, 200));
  EXPECT_EQ(pool->gc()->freedPages, 0u);
  expectWhole(*pool);
}

TEST_F(PagePoolTest, coldPagesReadAsBefore) {
  auto numbers = range(1, 100);
  add("a", numbers);
  add("b", range(50, 150));
  auto reader = openPool(folder.path, PagePool::Access::Read);
  uint64_t before = pool->summary().fileBytes;
  auto n = pool->compress("a");
  ASSERT_TRUE(n) << n.error().context;
  EXPECT_EQ(*n, 99u);
  EXPECT_EQ(pool->summary().coldPages, 99u);
  EXPECT_LT(pool->summary().fileBytes, before);
  EXPECT_TRUE(pool->isCold({0}));
  EXPECT_FALSE(pool->isCold({99}));
  expectContent(*pool, "a", numbers);
  expectContent(*pool, "b", range(50, 150));
  expectContent(*reader, "a", numbers); // it does not know of the frames
  expectWhole(*pool);
  EXPECT_EQ(*pool->compress("a"), 0u);
  // The last chunk of a gets the pages of b that were beside it.
  EXPECT_EQ(*pool->compress("b"), 50u);
  expectContent(*pool, "b", range(50, 150));
  ASSERT_TRUE(reader->refresh());
  EXPECT_TRUE(reader->isCold({120}));
  // New objects share cold pages.
  EXPECT_EQ(add("c", numbers).newPages, 0u);
  EXPECT_EQ(*pool->thaw("a"), 112u); // whole chunks
  EXPECT_FALSE(pool->isCold({0}));
  expectContent(*reader, "a", numbers);
  expectContent(*reader, "b", range(50, 150));
  expectWhole(*pool);
  ASSERT_TRUE(pool->gc());
  expectContent(*pool, "b", range(50, 150));
  expectWhole(*pool);
}

TEST_F(PagePoolTest, gcKeepsFramesWithALivingPage) {
  add("a", range(1, 41));
  ASSERT_EQ(*pool->compress("a"), 40u);
  add("b", {3});
  ASSERT_TRUE(pool->remove("a"));
  EXPECT_EQ(pool->gc()->freedPages, 39u);
  EXPECT_EQ(pool->summary().coldPages, 16u);
  expectContent(*pool, "b", {3});
  expectWhole(*pool);
  // Thawing brings only what lives.
  EXPECT_EQ(*pool->thaw("b"), 1u);
  expectContent(*pool, "b", {3});
  expectWhole(*pool);
}

TEST_F(PagePoolTest, framesAreMadeAnewWithoutFreedPages) {
  add("a", {1, 2});
  add("b", {3, 4, 5});
  ASSERT_EQ(*pool->compress("a"), 2u);
  ASSERT_TRUE(pool->remove("a"));
  add("c", {2});
  ASSERT_EQ(pool->gc()->freedPages, 1u);
  auto n = pool->compress("b");
  ASSERT_TRUE(n) << n.error().context;
  EXPECT_EQ(*n, 3u);
  EXPECT_EQ(pool->summary().coldPages, 4u);
  expectContent(*pool, "b", {3, 4, 5});
  expectContent(*pool, "c", {2});
  expectWhole(*pool);
}

TEST_F(PagePoolTest, damagedFramesAreRefused) {
  add("a", range(1, 17));
  ASSERT_EQ(*pool->compress("a"), 16u);
  damage("cold", 2000);
  EXPECT_EQ(contentOf(*pool, "a").error().sysErrno, EBADMSG);
  EXPECT_FALSE(pool->verify()->problems.empty());
  EXPECT_FALSE(pool->thaw("a"));
}

TEST_F(PagePoolTest, aPageThatCannotBeLookedForIsNotDamaged) {
  NumberSource source(range(1, 33));
  ASSERT_TRUE(pool->add("a", source));
  auto reader = openPool(folder.path, PagePool::Access::Read);
  ASSERT_TRUE(pool->compress("a")); // the reader has not heard of it
  std::vector<uint8_t> page(pageBytes);
  EXPECT_TRUE(reader->read({3}, page));
  EXPECT_EQ(page, pageOf(4));
  UniqueFd catalog(
      ::open((folder.path / "d" / "catalog.db").c_str(), O_RDWR | O_CLOEXEC));
  std::vector<uint8_t> zeros(pageBytes);
  ASSERT_EQ(::pwrite(catalog.get(), zeros.data(), zeros.size(), 0), 4096);
  auto read = reader->read({4}, page);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().sysErrno, EBADMSG) << read.error().context;
}

TEST_F(PagePoolTest, aLeaseOutlivesItsFirstThread) {
  NumberSource source(range(1, 4));
  ASSERT_TRUE(pool->add("a", source));
  pid_t child = ::fork();
  if (child == 0) { // the first thread ends, another sleeps on
    pthread_t other;
    pthread_create(
        &other, nullptr,
        [](void *) -> void * {
          ::sleep(60);
          ::_exit(0);
        },
        nullptr);
    ::syscall(SYS_exit, 0);
  }
  ASSERT_TRUE(pool->lease("a", child));
  std::string path = "/proc/" + std::to_string(child) + "/stat", text;
  for (int i = 0; i < 500 && text.find(") Z") == std::string::npos; ++i) {
    ::usleep(10'000);
    std::getline(std::ifstream(path), text);
  }
  EXPECT_NE(text.find(") Z"), std::string::npos) << text;
  EXPECT_FALSE(pool->remove("a"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(pool->remove("a"));
}

TEST_F(PagePoolTest, leasesHoldWhileTheirProcessLives) {
  add("a", range(1, 20));
  add("b", range(10, 40));
  auto reader = openPool(folder.path, PagePool::Access::Read);
  ASSERT_TRUE(reader->lease("a", getpid()));
  EXPECT_EQ((*pool->objects())[0].leases, 1u);
  EXPECT_EQ(pool->remove("a").error().sysErrno, EBUSY);
  EXPECT_EQ(*pool->compress("a"), 0u);
  EXPECT_EQ(*pool->compress("b"), 20u); // what a has stays hot
  expectContent(*pool, "b", range(10, 40));
  EXPECT_EQ(reader->lease("x", getpid()).error().sysErrno, ENOENT);
  EXPECT_EQ(reader->lease("../x", getpid()).error().sysErrno, EINVAL);
  ASSERT_TRUE(reader->lease("a", getpid()));
  ASSERT_TRUE(reader->release("a", getpid()));
  EXPECT_EQ(pool->remove("a").error().sysErrno, EBUSY);
  ASSERT_TRUE(reader->release("a", getpid()));
  EXPECT_EQ(reader->release("a", getpid()).error().sysErrno, ENOENT);

  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  ASSERT_TRUE(reader->lease("a", child));
  EXPECT_EQ(pool->remove("a").error().sysErrno, EBUSY);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(reader->lease("a", child).error().sysErrno, ESRCH);
  EXPECT_TRUE(pool->remove("a"));
}

TEST_F(PagePoolTest, cancelingLeavesThePoolAsItWas) {
  add("a", range(1, 50));
  NumberSource source(range(40, 300));
  auto done = pool->add("b", source,
                        [](uint64_t done, uint64_t) { return done < 100'000; });
  EXPECT_EQ(done.error().sysErrno, ECANCELED);
  auto stop = [](uint64_t, uint64_t) { return false; };
  EXPECT_EQ(pool->compress("a", stop).error().sysErrno, ECANCELED);
  EXPECT_EQ(pool->gc(stop).error().sysErrno, ECANCELED);
  EXPECT_EQ(pool->pageCount(), 49u);
  EXPECT_EQ(std::filesystem::file_size(file("pages")), 49 * pageBytes);
  expectWhole(*pool);
  EXPECT_EQ(add("b", range(40, 300)).newPages, 250u);
  EXPECT_EQ(*pool->compress("b"), 260u);
  EXPECT_EQ(pool->thaw("a", stop).error().sysErrno, ECANCELED);
  expectContent(*pool, "a", range(1, 50));
  expectContent(*pool, "b", range(40, 300));
  expectWhole(*pool);
}

TEST_F(PagePoolTest, whatStandsBehindTheLastPageDoesNotExist) {
  add("a", {1, 2});
  pool.reset();
  { // a killed import
    std::ofstream(file("pages"), std::ios::app) << std::string(10000, 'x');
    std::ofstream(file("digests"), std::ios::app) << std::string(33, 'y');
    std::ofstream(file("cold"), std::ios::app) << std::string(77, 'z');
  }
  pool = openPool(folder.path);
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->pageCount(), 2u);
  EXPECT_EQ(add("b", {1, 3}).newPages, 1u);
  EXPECT_EQ(*pool->compress("b"), 2u);
  expectContent(*pool, "a", {1, 2});
  expectContent(*pool, "b", {1, 3});
  expectWhole(*pool);
}

TEST_F(PagePoolTest, shortFilesAreDamage) {
  add("a", {1, 2});
  pool.reset();
  for (const char *name : {"pages", "digests"}) {
    auto whole = std::filesystem::file_size(file(name));
    std::filesystem::resize_file(file(name), whole - 1);
    for (auto access : {PagePool::Access::Read, PagePool::Access::Write}) {
      auto opened = PagePool::open(folder.path, "d", access);
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().sysErrno, EBADMSG);
      EXPECT_NE(opened.error().context.find(name), std::string::npos);
    }
    std::filesystem::resize_file(file(name), whole);
  }
  std::filesystem::rename(file("digests"), file("elsewhere"));
  EXPECT_EQ(PagePool::open(folder.path, "d", PagePool::Access::Write)
                .error()
                .sysErrno,
            EBADMSG);
}

TEST_F(PagePoolTest, verifyNamesPageAndObject) {
  add("a", range(1, 30));
  add("b", range(20, 40));
  damage("pages", 25 * pageBytes + 1);
  damage("digests", 3 * 16);
  auto v = pool->verify();
  ASSERT_TRUE(v);
  ASSERT_EQ(v->problems.size(), 2u);
  EXPECT_NE(v->problems[0].find("page 3 has digest"), std::string::npos);
  EXPECT_NE(v->problems[0].find("(of a)"), std::string::npos);
  EXPECT_NE(v->problems[1].find("page 25"), std::string::npos);
  EXPECT_NE(v->problems[1].find("(of a, b)"), std::string::npos);
}

// Any damage to the catalog is an error or a problem, never other content.
TEST_F(PagePoolTest, aDamagedCatalogIsNotBelieved) {
  add("a", range(1, 30));
  auto numbers = range(1, 30);
  std::shuffle(numbers.begin(), numbers.end(), std::minstd_rand(1));
  add("b", numbers);
  pool.reset();
  std::ifstream in(file("catalog.db"), std::ios::binary);
  std::string good((std::istreambuf_iterator<char>(in)), {});
  in.close();
  for (size_t at = 0; at < good.size(); at += 61) {
    std::string bad = good;
    bad[at] = char(bad[at] ^ 0x55);
    std::ofstream(file("catalog.db"), std::ios::binary) << bad;
    auto opened = PagePool::open(folder.path, "d", PagePool::Access::Read);
    if (!opened) {
      EXPECT_EQ(opened.error().context.find('\n'), std::string::npos);
      continue;
    }
    (void)(*opened)->verify();
    (void)(*opened)->objects();
    if (auto a = contentOf(**opened, "a"))
      EXPECT_TRUE(*a == pagesOf(range(1, 30))) << "byte " << at;
    if (auto b = contentOf(**opened, "b"))
      EXPECT_TRUE(*b == pagesOf(numbers)) << "byte " << at;
  }
}

} // namespace
