//===- PageServerTest.cpp - real faults of real processes -----------------===//

#include "PageServer.h"
#include "LazyGuest.h"
#include "PoolFixture.h"
#include "SessionState.h"
#include <condition_variable>
#include <fcntl.h>
#include <set>
#include <thread>

using namespace spacer;
using namespace spacer::test;

namespace {

using Op = LazyGuest::Op;

/// Guest memory: pages 0 to 99 of the pool, 100 to 149 zero, 150 to 399 of the
/// pool, 400 and 401 equal to 0 and 1, the rest zero.
class PageServerTest : public testing::Test {
protected:
  TemporaryFolder folder;
  std::shared_ptr<PagePool> disk;
  std::shared_ptr<HostPool> host;
  std::shared_ptr<const PageMap> map;
  std::vector<Digest> digests;
  std::unique_ptr<PageServer> server;
  UniqueFd clientFd;

  std::mutex lock;
  std::condition_variable changed;
  std::vector<std::pair<SessionId, std::string>> ended;
  std::vector<std::pair<SessionId, std::string>> endings() {
    std::lock_guard hold(lock);
    return ended;
  }

  void SetUp() override {
    auto uffd = Uffd::create(UFFD_FEATURE_MINOR_SHMEM);
    if (!uffd)
      GTEST_SKIP() << "userfaultfd with MINOR faults on shmem: "
                   << uffd.error().context;
    std::vector<uint64_t> numbers = range(1, 101);
    numbers.resize(150);
    for (uint64_t n : range(200, 450))
      numbers.push_back(n);
    numbers.push_back(1);
    numbers.push_back(2);
    numbers.resize(450);
    disk = openPool(folder.path);
    NumberSource source(numbers);
    ASSERT_TRUE(disk->add("a", source));
    for (uint64_t n : numbers)
      digests.push_back(digestOf(pageOf(n)));
    map = std::make_shared<PageMap>(*disk->map("a"));
    host = std::move(*HostPool::create(disk, disk->pageCount()));
    clientFd = std::move(*host->clientFd());
  }
  void TearDown() override { server.reset(); } // it calls back
  void startServer(unsigned threads = 1, uint64_t batchPages = 16) {
    PageServerOptions o;
    o.threads = threads;
    o.batchPages = batchPages;
    o.ended = [this](SessionId id, const std::string &why) {
      std::lock_guard hold(lock);
      ended.emplace_back(id, why);
      changed.notify_all();
    };
    server = std::move(*PageServer::start(std::move(o)));
  }
  std::unique_ptr<LazyGuest> guest(LazyGuest::Options options = {}) {
    std::string why;
    auto g = LazyGuest::start(*map, clientFd.get(), digests, options, why);
    EXPECT_TRUE(g) << why;
    return g;
  }
  SessionId add(const LazyGuest &g) {
    auto id = server->add(g.spec(host, map));
    EXPECT_TRUE(id) << id.error().context;
    return id ? *id : SessionId{};
  }
  /// A guest goes on as soon as it is woken; the counters follow.
  SessionStats stats(SessionId id) {
    usleep(10'000);
    for (auto &s : server->stats())
      if (s.id == id)
        return s;
    return {};
  }
  bool waitEnded(size_t many) {
    std::unique_lock hold(lock);
    return changed.wait_for(hold, std::chrono::seconds(5),
                            [&] { return ended.size() >= many; });
  }
};

LazyGuest::Options styled(Style style) {
  LazyGuest::Options o;
  o.style = style;
  return o;
}

TEST_F(PageServerTest, readsShareAndWritesAreOnesOwn) {
  startServer();
  auto a = guest(), b = guest();
  SessionId first = add(*a), second = add(*b);
  EXPECT_EQ(a->call(Op::Check, 0, 450), 0);
  EXPECT_EQ(a->ownPages(), 0);
  EXPECT_EQ(stats(first).copied, 0u);
  EXPECT_EQ(stats(first).continued, 352u);
  EXPECT_EQ(stats(first).zeroed, 98u);
  // Written after and before it was there, and a zero page.
  for (uint64_t p : {3, 102})
    EXPECT_EQ(a->call(Op::Write, p, 1, 7), 0);
  for (uint64_t p : {3, 160, 400, 120})
    EXPECT_EQ(b->call(Op::Write, p, 1, 8), 0);
  EXPECT_EQ(a->ownPages(), 2);
  EXPECT_EQ(b->ownPages(), 4);
  EXPECT_EQ(a->call(Op::Read, 3), 7);
  EXPECT_EQ(b->call(Op::Read, 3), 8);
  EXPECT_EQ(a->call(Op::Check, 160, 1), 0);
  EXPECT_EQ(b->call(Op::Check, 0, 450), 4);
  EXPECT_EQ(b->ownPages(), 4);
  EXPECT_GE(stats(second).copied, 3u);
  auto c = guest();
  add(*c);
  EXPECT_EQ(c->call(Op::Check, 0, 450), 0);
  uint64_t faults = 0;
  for (uint64_t n : server->latencyHistogram())
    faults += n;
  EXPECT_GT(faults, 0u);
}

TEST_F(PageServerTest, copiesHoldTheSame) {
  startServer();
  auto a = guest(styled(Style::Copied));
  SessionId id = add(*a);
  EXPECT_EQ(a->call(Op::Check, 0, 450), 0);
  EXPECT_EQ(a->ownPages(), 352);
  EXPECT_EQ(stats(id).copied, 352u);
  EXPECT_EQ(a->call(Op::Discard, 90, 80), 0);
  EXPECT_EQ(a->call(Op::Zero, 90, 80), 0);
  EXPECT_EQ(a->call(Op::Check, 0, 90), 0);
  EXPECT_EQ(stats(id).removed, 80u);
}

TEST_F(PageServerTest, removedPagesAreZeroFromThenOn) {
  startServer();
  auto a = guest();
  add(*a);
  // Before anything of it was touched, after it was read, after a write.
  EXPECT_EQ(a->call(Op::Discard, 150, 10), 0);
  EXPECT_EQ(a->call(Op::Zero, 150, 10), 0);
  EXPECT_EQ(a->call(Op::Check, 0, 60), 0);
  EXPECT_EQ(a->call(Op::Write, 5, 1, 9), 0);
  EXPECT_EQ(a->call(Op::Discard, 0, 60), 0);
  EXPECT_EQ(a->call(Op::Zero, 0, 60), 0);
  EXPECT_EQ(a->call(Op::Check, 60, 90), 0);
  EXPECT_EQ(a->call(Op::Check, 160, 290), 0);
  EXPECT_EQ(a->call(Op::Write, 5, 1, 9), 0);
  EXPECT_EQ(a->call(Op::Read, 5), 9);
  // Across run, gap and run.
  EXPECT_EQ(a->call(Op::Discard, 90, 100), 0);
  EXPECT_EQ(a->call(Op::Zero, 90, 100), 0);
  EXPECT_EQ(a->call(Op::Unmap, 200, 10), 0);
  EXPECT_EQ(a->call(Op::Check, 210, 240), 0);
}

TEST_F(PageServerTest, aDescriptorThatMayBlockStopsNobody) {
  startServer(); // one thread
  auto a = guest(), b = guest();
  SessionSpec spec = a->spec(host, map);
  UniqueFd theirs(fcntl(spec.uffd.get(), F_DUPFD_CLOEXEC, 0));
  ASSERT_TRUE(server->add(std::move(spec)));
  add(*b);
  // What a client may do with its own descriptor: it is the same open file.
  ASSERT_EQ(fcntl(theirs.get(), F_SETFL, O_RDWR), 0);
  EXPECT_EQ(a->call(Op::Check, 0, 1), 0);
  ASSERT_EQ(fcntl(theirs.get(), F_SETFL, O_RDWR), 0);
  alarm(20); // else this would wait for ever
  EXPECT_EQ(a->call(Op::Check, 160, 1), 0);
  EXPECT_EQ(b->call(Op::Check, 0, 450), 0);
  EXPECT_EQ(a->call(Op::Check, 0, 450), 0);
  alarm(0);
}

TEST_F(PageServerTest, pagesWithAWrongDigestAreABusError) {
  UniqueFd fd(open((folder.path / "d" / "pages").c_str(), O_RDWR));
  uint64_t word = 0xbad;
  ASSERT_EQ(pwrite(fd.get(), &word, 8, 20 * pageBytes), 8);
  startServer();
  auto a = guest(), b = guest(styled(Style::Copied));
  SessionId id = add(*a);
  add(*b);
  EXPECT_EQ(a->call(Op::Check, 0, 20), 0);
  EXPECT_EQ(a->call(Op::Check, 20, 1), -2);
  EXPECT_EQ(a->call(Op::Write, 20, 1, 1), -2);
  EXPECT_EQ(a->call(Op::Check, 21, 400), 0);
  EXPECT_EQ(stats(id).poisoned, 1u);
  EXPECT_EQ(b->call(Op::Check, 20, 1), -2);
  EXPECT_EQ(b->call(Op::Check, 21, 400), 0);
  EXPECT_EQ(a->call(Op::Discard, 20, 1), 0);
  EXPECT_EQ(a->call(Op::Zero, 20, 1), 0);
}

TEST_F(PageServerTest, hugePagesHoldTheSame) {
  auto setting = [](const char *value) {
    std::ofstream("/proc/sys/vm/nr_hugepages") << value;
    uint64_t n = 0;
    std::ifstream("/proc/sys/vm/nr_hugepages") >> n;
    return n;
  };
  uint64_t before = 0;
  std::ifstream("/proc/sys/vm/nr_hugepages") >> before;
  std::string more = std::to_string(before + 4), old = std::to_string(before);
  if (setting(more.c_str()) < before + 4) {
    setting(old.c_str());
    GTEST_SKIP() << "huge pages of 2 MiB cannot be reserved";
  }
  {
    startServer();
    auto o = styled(Style::Huge);
    o.features |= UFFD_FEATURE_MISSING_HUGETLBFS;
    auto huge = std::make_shared<PageMap>(
        *PageMap::make(512, std::vector(map->runs())));
    std::string why;
    auto a = LazyGuest::start(*huge, clientFd.get(), digests, o, why);
    ASSERT_TRUE(a) << why;
    auto id = server->add(a->spec(host, huge));
    ASSERT_TRUE(id) << id.error().context;
    EXPECT_EQ(a->call(Op::Check, 0, 512), 0);
    EXPECT_EQ(stats(*id).copied, 512u);
    EXPECT_EQ(stats(*id).faults, 1u);
    EXPECT_EQ(a->call(Op::Write, 3, 1, 7), 0);
    EXPECT_EQ(a->call(Op::Check, 0, 512), 1);
    EXPECT_EQ(a->call(Op::Discard, 0, 512), 0);
    EXPECT_EQ(a->call(Op::Zero, 0, 512), 0);
  }
  setting(old.c_str());
}

TEST_F(PageServerTest, threadsThatTouchWriteAndRemoveSeeTheRightPages) {
  auto a = guest(), b = guest(styled(Style::Copied));
  startServer(2);
  SessionId id = add(*a);
  add(*b);
  a->ask(Op::Storm, 0, 30'000, 4);
  b->ask(Op::Storm, 0, 30'000, 4);
  EXPECT_EQ(a->answer(), 0);
  EXPECT_EQ(b->answer(), 0);
  EXPECT_GT(stats(id).removed, 0u);
}

TEST_F(PageServerTest, aSuccessorServesWhatWasReadAndNotAnswered) {
  auto a = guest();
  auto state = *SessionState::create(a->regions);
  auto takeOne = [&] {
    for (int i = 0; i < 5000; ++i, usleep(1000))
      if (read(a->uffd(), state.messages().data(), sizeof(uffd_msg)) > 0)
        return true;
    return false;
  };
  // A fault that a server read, and died.
  a->ask(Op::Check, 0, 1);
  ASSERT_TRUE(takeOne());
  ASSERT_EQ(state.messages()[0].event, UFFD_EVENT_PAGEFAULT);
  startServer();
  auto adopt = [&] {
    auto spec = a->spec(host, map);
    spec.regions.clear();
    return server->adopt(std::move(spec), UniqueFd(dup(state.fd())));
  };
  auto id = adopt();
  ASSERT_TRUE(id) << id.error().context;
  ASSERT_TRUE(a->answered(5000));
  EXPECT_EQ(a->answer(), 0);
  // A REMOVE that it read and did not record.
  server.reset();
  a->ask(Op::Discard, 0, 30);
  ASSERT_TRUE(takeOne());
  ASSERT_EQ(state.messages()[0].event, UFFD_EVENT_REMOVE);
  EXPECT_EQ(a->answer(), 0);
  startServer();
  ASSERT_TRUE(adopt());
  EXPECT_EQ(a->call(Op::Zero, 0, 30), 0);
  EXPECT_EQ(a->call(Op::Check, 30, 100), 0);
  // The server clears its buffer after the wake.
  for (int i = 0; i < 1000 && state.messages()[0].event; ++i)
    usleep(1000);
  EXPECT_EQ(state.messages()[0].event, 0);
  // And one that is in the bits only.
  EXPECT_EQ(a->call(Op::Discard, 200, 5), 0);
  server.reset();
  startServer();
  ASSERT_TRUE(adopt());
  EXPECT_EQ(a->call(Op::Zero, 200, 5), 0);
  EXPECT_FALSE(server->adopt(a->spec(host, map), UniqueFd(dup(a->uffd()))));
}

TEST_F(PageServerTest, serversThatComeAndGoLoseNoPage) {
  auto a = guest();
  startServer();
  SessionId id = add(*a);
  a->ask(Op::Storm, 0, 20'000, 4);
  for (int i = 0; i < 20; ++i) {
    usleep(5000);
    UniqueFd state(dup(server->stateFd(id)));
    server.reset();
    startServer();
    auto next = server->adopt(a->spec(host, map), std::move(state));
    ASSERT_TRUE(next) << next.error().context;
    id = *next;
  }
  EXPECT_EQ(a->answer(), 0);
}

TEST_F(PageServerTest, aProcessThatEndsEndsItsSession) {
  startServer(2);
  std::vector<std::unique_ptr<LazyGuest>> guests;
  for (int i = 0; i < 6; ++i) {
    guests.push_back(guest());
    add(*guests.back());
  }
  EXPECT_EQ(server->stats().size(), 6u);
  for (int i = 0; i < 6; ++i) {
    guests[size_t(i)]->ask(Op::Check, 0, 450);
    guests[size_t(i)]->kill();
  }
  ASSERT_TRUE(waitEnded(6));
  for (auto &[id, why] : endings())
    EXPECT_EQ(why, "") << uint64_t(id);
  std::multiset<uint64_t> ids;
  for (auto &[id, why] : endings())
    ids.insert(uint64_t(id));
  EXPECT_EQ(ids, (std::multiset<uint64_t>{1, 2, 3, 4, 5, 6}));
  // It is there while `ended` is told, and gone after.
  for (int i = 0; i < 1000 && !server->stats().empty(); ++i)
    usleep(1000);
  EXPECT_TRUE(server->stats().empty());
}

TEST_F(PageServerTest, whatIsNotServedBreaksOneSessionOnly) {
  startServer();
  LazyGuest::Options o;
  o.shadow = true;
  auto good = guest(), bad = guest(o);
  o.shadow = false;
  o.features |= UFFD_FEATURE_EVENT_REMAP;
  auto moved = guest(o);
  add(*good);
  SessionId id = add(*bad);
  SessionId movedId = add(*moved);
  EXPECT_EQ(bad->call(Op::Check, 0, 10), 0);
  EXPECT_EQ(bad->call(Op::Read, 450), -2);
  ASSERT_TRUE(waitEnded(1));
  EXPECT_EQ(endings()[0].first, id);
  EXPECT_NE(endings()[0].second.find("outside its regions"), std::string::npos);
  // Everything else of it is refused too, never zeros.
  EXPECT_EQ(bad->call(Op::Read, 300), -2);
  EXPECT_EQ(moved->call(Op::Move, 150, 20), 0);
  ASSERT_TRUE(waitEnded(2));
  EXPECT_EQ(endings()[1].first, movedId);
  EXPECT_EQ(good->call(Op::Check, 0, 450), 0);
  server->remove(id);
  EXPECT_EQ(server->stats().size(), 2u);
}

TEST_F(PageServerTest, addRefusesWhatItCannotServe) {
  startServer();
  auto a = guest();
  auto refused = [&](auto change) {
    SessionSpec s = a->spec(host, map);
    change(s);
    auto id = server->add(std::move(s));
    return id ? 0 : id.error().sysErrno;
  };
  EXPECT_EQ(refused([](auto &s) { s.uffd.reset(open("/dev/null", O_RDWR)); }),
            EINVAL);
  EXPECT_EQ(refused([](auto &s) { s.uffd.reset(); }), EINVAL);
  EXPECT_EQ(refused([](auto &s) { s.regions.clear(); }), EINVAL);
  EXPECT_EQ(refused([](auto &s) { s.regions[0].bytes += pageBytes; }), EINVAL);
  EXPECT_EQ(refused([](auto &s) { std::swap(s.regions[0], s.regions[1]); }),
            EINVAL);
  EXPECT_EQ(refused([](auto &s) {
              s.map = std::make_shared<PageMap>(
                  *PageMap::make(450, {{{0}, {5000}, 450}}));
            }),
            EINVAL);
  EXPECT_EQ(server->stateFd(SessionId(77)), -1);
  EXPECT_FALSE(server->drain(SessionId(77)));
  EXPECT_EQ(refused([](auto &) {}), 0);
}

TEST_F(PageServerTest, aReplayedWorkingSetDoesNotFault) {
  startServer();
  auto a = guest();
  SessionId id = add(*a);
  const std::pair<uint64_t, uint64_t> touches[] = {
      {300, 20}, {5, 3}, {120, 2}, {160, 60}};
  for (auto [page, pages] : touches)
    EXPECT_EQ(a->call(Op::Check, page, pages), 0);
  auto s = stats(id);
  auto order = server->workingSet(id);
  ASSERT_FALSE(order.empty());
  EXPECT_LE(order[0].first.value, 300u);
  EXPECT_GT(order[0].first.value + order[0].second, 300u);
  uint64_t sum = 0;
  for (auto &[page, pages] : order)
    sum += pages;
  EXPECT_EQ(sum, s.continued + s.zeroed);

  auto b = guest();
  auto spec = b->spec(host, map);
  spec.replay = order;
  auto second = server->add(std::move(spec));
  ASSERT_TRUE(second);
  for (int i = 0; i < 300 && stats(*second).prefetched < sum; ++i)
    usleep(1000);
  EXPECT_EQ(stats(*second).prefetched, sum);
  for (auto [page, pages] : touches)
    EXPECT_EQ(b->call(Op::Check, page, pages), 0);
  EXPECT_EQ(stats(*second).faults, 0u);
  EXPECT_EQ(b->ownPages(), 0);
  EXPECT_EQ(b->call(Op::Check, 0, 450), 0);
  EXPECT_GT(stats(*second).faults, 0u);
}

TEST_F(PageServerTest, afterADrainNobodyIsNeeded) {
  startServer();
  auto a = guest(), b = guest(styled(Style::Copied));
  SessionId first = add(*a), second = add(*b);
  for (auto *g : {a.get(), b.get()}) {
    EXPECT_EQ(g->call(Op::Check, 40, 10), 0);
    EXPECT_EQ(g->call(Op::Discard, 45, 20), 0);
    EXPECT_EQ(g->call(Op::Write, 50, 1, 5), 0);
  }
  for (auto id : {first, second}) {
    auto done = server->drain(id);
    EXPECT_TRUE(done) << done.error().context;
    server->remove(id);
  }
  server.reset();
  EXPECT_EQ(a->ownPages(), 1);
  for (auto *g : {a.get(), b.get()}) {
    EXPECT_EQ(g->call(Op::Check, 0, 45), 0);
    EXPECT_EQ(g->call(Op::Zero, 45, 5), 0);
    EXPECT_EQ(g->call(Op::Read, 50), 5);
    EXPECT_EQ(g->call(Op::Zero, 51, 14), 0);
    EXPECT_EQ(g->call(Op::Check, 65, 385), 0);
  }
}

TEST_F(PageServerTest, aDrainOfWhatEndsAnswers) {
  startServer();
  auto a = guest();
  SessionId id = add(*a);
  a->kill();
  ASSERT_TRUE(waitEnded(1));
  auto done = server->drain(id);
  ASSERT_FALSE(done);
  // `ended` is called before the server forgets it.
  EXPECT_TRUE(done.error().sysErrno == ENOENT || done.error().sysErrno == ESRCH)
      << done.error().context;
}

} // namespace
