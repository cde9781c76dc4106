//===- FaultHandlerTest.cpp - decisions, with the kernel played -----------===//

#include "FaultHandler.h"
#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <set>

using namespace spacer;

namespace {

constexpr uint64_t base = 0x7f0000000000;

/// Keeps one word a page: what a read of it would show.
struct FakeKernel final : UffdCalls {
  std::map<uint64_t, std::string> pages; ///< by address
  std::set<std::string> woken;
  std::vector<std::string> log;
  std::deque<int64_t> failures; ///< of the next calls; 0: does as asked

  int64_t run(const std::string &name, HostAddr at, uint64_t bytes,
              const std::function<std::string(uint64_t)> &content) {
    log.push_back(name + " " + std::to_string((at.value - base) / pageBytes) +
                  "+" + std::to_string(bytes / pageBytes));
    if (!failures.empty()) {
      int64_t why = failures.front();
      failures.pop_front();
      if (why)
        return why;
    }
    uint64_t done = 0;
    for (; done < bytes; done += pageBytes)
      if (!pages.emplace(at.value + done, content(done)).second)
        break;
    return done ? int64_t(done) : -EEXIST;
  }
  int64_t copy(HostAddr to, const void *from, uint64_t bytes, bool) override {
    return run("copy", to, bytes, [&](uint64_t at) {
      uint64_t word;
      std::memcpy(&word, static_cast<const uint8_t *>(from) + at, 8);
      return "c" + std::to_string(word);
    });
  }
  int64_t continueRange(HostAddr at, uint64_t bytes, bool) override {
    return run("continue", at, bytes, [](uint64_t) { return "shared"; });
  }
  int64_t zero(HostAddr at, uint64_t bytes, bool) override {
    return run("zero", at, bytes, [](uint64_t) { return "zero"; });
  }
  int64_t poison(HostAddr at, uint64_t bytes, bool) override {
    return run("poison", at, bytes, [](uint64_t) { return "poison"; });
  }
  int wake(HostAddr at, uint64_t bytes) override {
    log.push_back("wake " + std::to_string((at.value - base) / pageBytes) +
                  "+" + std::to_string(bytes / pageBytes));
    return 0;
  }
};

/// Page n of it holds the word n.
struct FakePool final : PoolPages {
  std::vector<uint8_t> bytes;
  std::set<uint64_t> whole, corrupt, unreadable;
  explicit FakePool(uint64_t pages) : bytes(pages * pageBytes) {
    for (uint64_t p = 0; p < pages; ++p)
      std::memcpy(&bytes[p * pageBytes], &p, 8);
  }
  Outcome fill(PoolPage first, uint64_t count) override {
    Outcome worst = Outcome::Present;
    for (uint64_t p = first.value; p < first.value + count; ++p)
      if (corrupt.count(p))
        worst = std::max(worst, Outcome::Corrupt);
      else if (unreadable.count(p))
        worst = std::max(worst, Outcome::Failed);
      else
        whole.insert(p);
    return worst;
  }
  bool present(PoolPage p) const override { return whole.count(p.value); }
  const uint8_t *at(PoolPage p) const override {
    return bytes.data() + p.value * pageBytes;
  }
};

/// Guest: 64 pages of the pool from pool page 100 on, 64 zero pages, then 1024
/// from pool page 200 on; regions as a test wants them, at base + guest page.
struct Bench {
  PageMap map = *PageMap::make(2048, {{{0}, {100}, 64}, {{128}, {200}, 1024}});
  FakeKernel kernel;
  FakePool pool{1300};
  FaultCounters counters;
  SessionState state;
  FaultHandler handler;

  explicit Bench(std::vector<Region> regions, uint64_t batch = 16)
      : state(*SessionState::create(checked(regions))),
        handler(kernel, state, map, pool, counters, batch) {}

  std::vector<Region> checked(std::vector<Region> regions) {
    auto done = checkRegions(regions, map);
    EXPECT_TRUE(done) << done.error().context;
    return regions;
  }
  static Region region(uint64_t guest, uint64_t pages, RegionKind kind,
                       uint32_t size = pageBytes) {
    return {{base + guest * pageBytes}, pages * pageBytes, {guest}, kind, size};
  }
  static HostAddr at(uint64_t page) { return {base + page * pageBytes}; }
  std::string page(uint64_t p) const {
    auto found = kernel.pages.find(at(p).value);
    return found == kernel.pages.end() ? "absent" : found->second;
  }
  Served read(uint64_t p) { return handler.fault(at(p), false); }
  Served write(uint64_t p) { return handler.fault(at(p), true); }
};

const auto mapped = RegionKind::PoolMapping, copied = RegionKind::Anonymous;
using Log = std::vector<std::string>;

TEST(FaultHandlerTest, readsShareAWindowOfThePool) {
  Bench b({Bench::region(0, 64, mapped)});
  ASSERT_EQ(b.read(20), Served::Done);
  // Guest page 20 is pool page 120: the window is pool pages 112 to 127.
  EXPECT_EQ(b.kernel.log, Log{"continue 12+16"});
  EXPECT_TRUE(b.pool.present({112}));
  EXPECT_FALSE(b.pool.present({111}));
  EXPECT_EQ(b.counters.continued, 16u);
  EXPECT_EQ(b.handler.last().bit, 12u);
  EXPECT_EQ(b.handler.last().pages, 16u);
}

TEST(FaultHandlerTest, windowsEndWithTheRegion) {
  Bench b({Bench::region(18, 5, mapped)});
  ASSERT_EQ(b.read(20), Served::Done);
  EXPECT_EQ(b.kernel.log, Log{"continue 18+5"});
}

TEST(FaultHandlerTest, writesCopyOnePageAndMapItsNeighbours) {
  Bench b({Bench::region(0, 64, mapped)});
  ASSERT_EQ(b.write(20), Served::Done);
  EXPECT_EQ(b.kernel.log, (Log{"copy 20+1", "continue 12+8", "continue 21+7"}));
  EXPECT_EQ(b.page(20), "c120");
  Bench one({Bench::region(0, 64, mapped)}, 1);
  ASSERT_EQ(one.write(20), Served::Done);
  EXPECT_EQ(one.kernel.log, Log{"copy 20+1"});
}

TEST(FaultHandlerTest, removedPagesAreZeroAndTheirNeighboursAreNot) {
  Bench b({Bench::region(0, 64, mapped)});
  EXPECT_EQ(b.state.remove(b.at(20), b.at(23)), 3u);
  ASSERT_EQ(b.write(21), Served::Done);
  EXPECT_EQ(b.kernel.log, Log{"zero 20+3"});
  ASSERT_EQ(b.read(19), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "continue 12+8");
  ASSERT_EQ(b.read(24), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "continue 23+5");
}

TEST(FaultHandlerTest, anonymousPagesAreCopiedOrZeroed) {
  Bench b({Bench::region(0, 256, copied)});
  ASSERT_EQ(b.read(60), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "copy 60+4"); // pool page 160 starts a window
  EXPECT_EQ(b.page(63), "c163");
  ASSERT_EQ(b.read(70), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "zero 64+16");
  ASSERT_EQ(b.write(127), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "zero 112+16");
  ASSERT_EQ(b.read(129), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "copy 128+8"); // pool 200 to 207
  b.state.remove(b.at(130), b.at(131));
  b.kernel.pages.clear();
  ASSERT_EQ(b.read(129), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "copy 128+2");
  ASSERT_EQ(b.read(130), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "zero 130+1");
}

TEST(FaultHandlerTest, neighboursThatAreThereAreLeftAlone) {
  Bench b({Bench::region(0, 64, mapped)});
  b.kernel.pages[b.at(12).value] = "own";
  b.kernel.pages[b.at(26).value] = "own";
  ASSERT_EQ(b.read(20), Served::Done);
  EXPECT_EQ(b.kernel.log, (Log{"continue 12+16", "continue 20+8"}));
  EXPECT_EQ(b.page(20), "shared");
  EXPECT_EQ(b.page(26), "own");
  EXPECT_EQ(b.counters.continued, 6u);
  b.kernel.log.clear();
  // In the middle before the page: counts what was done, goes on at the page.
  Bench c({Bench::region(0, 64, mapped)});
  c.kernel.pages[c.at(15).value] = "own";
  ASSERT_EQ(c.read(20), Served::Done);
  EXPECT_EQ(c.kernel.log, (Log{"continue 12+16", "continue 20+8"}));
  EXPECT_EQ(c.counters.continued, 11u);
}

TEST(FaultHandlerTest, aPageThatIsThereIsWoken) {
  Bench b({Bench::region(0, 64, mapped)});
  b.kernel.pages[b.at(20).value] = "own";
  ASSERT_EQ(b.read(20), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "wake 20+1");
  ASSERT_EQ(b.write(20), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "wake 20+1");
  EXPECT_EQ(b.page(20), "own");
}

TEST(FaultHandlerTest, pendingRemovesAreAskedAgainWithTheNewKnowledge) {
  Bench b({Bench::region(0, 64, mapped)});
  b.kernel.failures = {-EAGAIN};
  ASSERT_EQ(b.read(20), Served::Retry);
  EXPECT_EQ(b.page(20), "absent");
  EXPECT_EQ(b.counters.retries, 1u);
  b.state.remove(b.at(20), b.at(21));
  ASSERT_EQ(b.read(20), Served::Done);
  EXPECT_EQ(b.page(20), "zero");
  b.kernel.failures = {-EAGAIN};
  ASSERT_EQ(b.write(40), Served::Retry);
  EXPECT_EQ(b.page(40), "absent");
}

TEST(FaultHandlerTest, changedMappingsAreTriedAlone) {
  Bench b({Bench::region(0, 64, mapped)});
  b.kernel.failures = {-ENOENT};
  ASSERT_EQ(b.read(20), Served::Done);
  EXPECT_EQ(b.kernel.log, (Log{"continue 12+16", "continue 20+1"}));
  b.kernel.failures = {-ENOENT, -ENOENT};
  ASSERT_EQ(b.read(40), Served::Gone);
  EXPECT_EQ(b.kernel.log.back(), "wake 40+1");
}

TEST(FaultHandlerTest, endsAreTold) {
  Bench b({Bench::region(0, 64, mapped)});
  b.kernel.failures = {-ESRCH};
  EXPECT_EQ(b.read(20), Served::Dead);
  b.kernel.failures = {-ENOSPC};
  EXPECT_EQ(b.write(20), Served::Dead);
  b.kernel.failures = {-ENOMEM, -ENOMEM};
  EXPECT_EQ(b.read(20), Served::Wait);
  b.kernel.failures = {-EINVAL, -EINVAL};
  EXPECT_EQ(b.read(20), Served::Broken);
  EXPECT_STREQ(b.handler.why(), "UFFDIO_CONTINUE");
  EXPECT_EQ(b.handler.whyErrno(), EINVAL);
  EXPECT_EQ(b.read(64), Served::Broken);
  EXPECT_EQ(b.page(20), "absent");
}

TEST(FaultHandlerTest, wrongPagesArePoisonedAlone) {
  Bench b({Bench::region(0, 64, mapped)});
  b.pool.corrupt = {121};
  ASSERT_EQ(b.read(21), Served::Done);
  EXPECT_EQ(b.page(21), "poison");
  ASSERT_EQ(b.read(20), Served::Done);
  EXPECT_EQ(b.page(20), "shared");
  ASSERT_EQ(b.read(22), Served::Done);
  EXPECT_EQ(b.page(22), "shared");
  EXPECT_EQ(b.page(23), "absent"); // only windows that are whole are mapped
  b.kernel.pages.clear();
  ASSERT_EQ(b.write(21), Served::Done);
  EXPECT_EQ(b.page(21), "poison");
  // Removed, it needs no pool.
  b.kernel.pages.clear();
  b.state.remove(b.at(21), b.at(22));
  ASSERT_EQ(b.read(21), Served::Done);
  EXPECT_EQ(b.page(21), "zero");
}

TEST(FaultHandlerTest, withoutPoisonNothingIsShown) {
  Bench b({Bench::region(0, 64, mapped)});
  b.pool.corrupt = {121};
  b.kernel.failures = {-EINVAL};
  EXPECT_EQ(b.read(21), Served::Broken);
  EXPECT_EQ(b.page(21), "absent");
  EXPECT_EQ(b.kernel.log, Log{"poison 21+1"});
}

TEST(FaultHandlerTest, unreadablePagesWait) {
  Bench b({Bench::region(0, 64, mapped)});
  b.pool.unreadable = {121};
  EXPECT_EQ(b.read(21), Served::Wait);
  EXPECT_EQ(b.write(21), Served::Wait);
  EXPECT_TRUE(b.kernel.log.empty());
  EXPECT_EQ(b.read(20), Served::Done);
  EXPECT_EQ(b.handler.giveUp(b.at(21)), Served::Done);
  EXPECT_EQ(b.page(21), "poison");
}

TEST(FaultHandlerTest, hugePagesAreCopiedWhole) {
  // Guest pages 0 to 511: 64 of the pool, 64 zero, 384 of the pool again.
  Bench b({Bench::region(0, 1024, copied, hugePageBytes)});
  ASSERT_EQ(b.read(70), Served::Done);
  EXPECT_EQ(b.kernel.log, Log{"copy 0+512"});
  EXPECT_EQ(b.page(63), "c163");
  EXPECT_EQ(b.page(64), "c0");
  EXPECT_EQ(b.page(128), "c200");
  EXPECT_EQ(b.page(511), "c583");
  ASSERT_EQ(b.write(1023), Served::Done);
  EXPECT_EQ(b.page(512), "c584");
  EXPECT_EQ(b.page(1023), "c1095");
  EXPECT_EQ(b.counters.copied, 1024u);
  b.kernel.pages.clear();
  b.state.remove(b.at(0), b.at(512));
  ASSERT_EQ(b.read(1), Served::Done);
  EXPECT_EQ(b.page(1), "c0");
  b.kernel.pages.clear();
  b.pool.corrupt = {600};
  ASSERT_EQ(b.read(700), Served::Done);
  EXPECT_EQ(b.kernel.log.back(), "poison 512+512");
}

TEST(FaultHandlerTest, bringingGoesForwardAndOverWhatIsThere) {
  Bench b({Bench::region(0, 64, mapped), Bench::region(64, 64, copied)});
  uint64_t advanced = 0;
  b.kernel.pages[b.at(5).value] = "own";
  ASSERT_EQ(b.handler.bring(0, 64, true, advanced), Served::Done);
  EXPECT_EQ(advanced, 5u);
  ASSERT_EQ(b.handler.bring(5, 64, true, advanced), Served::Done);
  EXPECT_EQ(advanced, 1u);
  b.pool.corrupt = {110};
  ASSERT_EQ(b.handler.bring(6, 4, true, advanced), Served::Done);
  EXPECT_EQ(advanced, 4u);
  ASSERT_EQ(b.handler.bring(10, 64, false, advanced), Served::Done);
  EXPECT_EQ(advanced, 1u);
  EXPECT_EQ(b.page(10), "absent");
  ASSERT_EQ(b.handler.bring(10, 64, true, advanced), Served::Done);
  EXPECT_EQ(b.page(10), "poison");
  ASSERT_EQ(b.handler.bring(64, 40, true, advanced), Served::Done);
  EXPECT_EQ(advanced, 40u);
  EXPECT_EQ(b.page(64), "zero");
  b.kernel.failures = {-EAGAIN};
  ASSERT_EQ(b.handler.bring(11, 8, true, advanced), Served::Retry);
  EXPECT_EQ(advanced, 0u);
}

TEST(FaultHandlerTest, regionsThatMakeNoSenseAreRefused) {
  auto map = *PageMap::make(2048, {{{0}, {100}, 64}});
  auto ok = [&](std::vector<Region> r) { return bool(checkRegions(r, map)); };
  auto r = Bench::region(0, 64, mapped);
  EXPECT_TRUE(ok({r}));
  EXPECT_FALSE(ok({}));
  EXPECT_FALSE(ok({r, r}));
  EXPECT_FALSE(ok({Bench::region(0, 65, mapped)}));
  EXPECT_FALSE(ok({Bench::region(64, 1, mapped)}));
  EXPECT_TRUE(ok({Bench::region(64, 1, copied)}));
  EXPECT_FALSE(ok({Bench::region(2047, 2, copied)}));
  EXPECT_FALSE(ok({Bench::region(~0ull >> 13, 2, copied)}));
  EXPECT_FALSE(ok({Bench::region(0, 0, copied)}));
  EXPECT_FALSE(ok({Bench::region(0, 512, mapped, hugePageBytes)}));
  EXPECT_TRUE(ok({Bench::region(0, 512, copied, hugePageBytes)}));
  EXPECT_FALSE(ok({Bench::region(1, 512, copied, hugePageBytes)}));
  EXPECT_FALSE(ok({Bench::region(0, 511, copied, hugePageBytes)}));
  EXPECT_FALSE(ok({Bench::region(0, 512, copied, 1 << 30)}));
  r.start.value += 8;
  EXPECT_FALSE(ok({r}));
  r.start.value = ~0ull - 4095;
  EXPECT_FALSE(ok({r}));
  r = Bench::region(0, 64, RegionKind(7));
  EXPECT_FALSE(ok({r}));
}

TEST(SessionStateTest, whatItHoldsIsThereForASuccessor) {
  std::vector<Region> regions{Bench::region(3, 70, copied),
                              Bench::region(200, 130, copied)};
  auto first = *SessionState::create(regions);
  // Across the end of one region, the gap, and into the next.
  EXPECT_EQ(first.remove(Bench::at(60), Bench::at(210)), 13u + 10u);
  first.messages()[3].event = UFFD_EVENT_REMOVE;
  auto second = SessionState::adopt(UniqueFd(dup(first.fd())));
  ASSERT_TRUE(second) << second.error().context;
  EXPECT_EQ(second->regions(), regions);
  EXPECT_EQ(second->pages(), 200u);
  for (uint64_t p = 3; p < 330; ++p) {
    auto place = second->find(Bench::at(p));
    ASSERT_EQ(bool(place), p < 73 || p >= 200) << p;
    if (place) {
      EXPECT_EQ(second->removed(place->bit), p >= 60 && p < 210) << p;
      EXPECT_EQ(second->place(place->bit).page, place->page);
    }
  }
  EXPECT_EQ(second->messages()[3].event, UFFD_EVENT_REMOVE);
  second->clearMessages(4);
  EXPECT_EQ(first.messages()[3].event, 0);
  EXPECT_FALSE(first.broken());
  second->setBroken();
  EXPECT_TRUE(first.broken());
}

TEST(SessionStateTest, otherFilesAreRefused) {
  UniqueFd fd(memfd_create("other", MFD_CLOEXEC));
  EXPECT_FALSE(SessionState::adopt(UniqueFd(dup(fd.get()))));
  ASSERT_EQ(ftruncate(fd.get(), 16384), 0);
  EXPECT_FALSE(SessionState::adopt(UniqueFd(dup(fd.get()))));
  auto state = *SessionState::create({Bench::region(0, 64, copied)});
  std::vector<uint8_t> bytes(16384);
  ASSERT_EQ(pread(state.fd(), bytes.data(), bytes.size(), 0), 16384);
  for (size_t at : {0, 8, 16, 24, 8192, 8200, 8216, 8220}) {
    bytes[at] ^= 0x41;
    ASSERT_EQ(pwrite(fd.get(), bytes.data(), bytes.size(), 0), 16384);
    EXPECT_FALSE(SessionState::adopt(UniqueFd(dup(fd.get())))) << at;
    bytes[at] ^= 0x41;
  }
  ASSERT_EQ(pwrite(fd.get(), bytes.data(), bytes.size(), 0), 16384);
  EXPECT_TRUE(SessionState::adopt(UniqueFd(dup(fd.get()))));
}

} // namespace
