//===- Measure.cpp - faults against the bare loop -------------------------===//
//
// Every round runs both sides, first one then the other in turn, with new
// processes; what else the machine does meets both. The result is the median
// of the rounds' ratios.
//
//===----------------------------------------------------------------------===//

#include "FaultTool.h"
#include <algorithm>
#include <cstdio>
#include <poll.h>
#include <random>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <thread>

namespace spacer::test {

struct BareLoop::State {
  UniqueFd stop{eventfd(0, EFD_CLOEXEC)};
  std::thread thread;
};

namespace {

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

using Call = BareLoop::Call;

void answer(int fd, Call call, uint64_t start, const uint8_t *from,
            uint64_t bytes) {
  switch (call) {
  case Call::Continue: {
    uffdio_continue c{{start, bytes}, 0, 0};
    ioctl(fd, UFFDIO_CONTINUE, &c);
    break;
  }
  case Call::Copy: {
    uffdio_copy c{start, reinterpret_cast<uintptr_t>(from), bytes, 0, 0};
    ioctl(fd, UFFDIO_COPY, &c);
    break;
  }
  case Call::Zero: {
    uffdio_zeropage c{{start, bytes}, 0, 0};
    ioctl(fd, UFFDIO_ZEROPAGE, &c);
    break;
  }
  }
}

} // namespace

BareLoop::BareLoop(const World &world, Call call, uint64_t batch,
                   std::vector<const LazyGuest *> guests)
    : state(new State) {
  std::vector<pollfd> fds;
  std::vector<uint64_t> bases;
  for (auto *g : guests) {
    fds.push_back({g->uffd(), POLLIN, 0});
    bases.push_back(g->at(0).value);
  }
  fds.push_back({state->stop.get(), POLLIN, 0});
  const uint8_t *memory = world.host->at({0});
  uint64_t window = batch * pageBytes;
  state->thread = std::thread([=]() mutable {
    pthread_setname_np(pthread_self(), "bare-loop");
    for (;;) {
      poll(fds.data(), fds.size(), -1);
      if (fds.back().revents)
        return;
      for (size_t i = 0; i < bases.size(); ++i) {
        if (!fds[i].revents)
          continue;
        uffd_msg m;
        if (read(fds[i].fd, &m, sizeof m) != sizeof m)
          continue;
        uint64_t at = (m.arg.pagefault.address - bases[i]) / window * window;
        answer(fds[i].fd, call, bases[i] + at, memory + at, window);
      }
    }
  });
}

BareLoop::~BareLoop() {
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = write(state->stop.get(), &one, sizeof one);
  state->thread.join();
}

namespace {

struct Latency {
  double p50, p99;
};

/// One fault a page, one page at a time.
Latency touchAll(LazyGuest &g, uint64_t pages) {
  if (g.call(LazyGuest::Op::Latency, 0, pages) != int64_t(pages))
    die("a client failed");
  auto &samples = g.latency();
  std::vector<double> ns(samples.begin(), samples.begin() + ptrdiff_t(pages));
  return {percentile(ns, 0.5), percentile(ns, 0.99)};
}

/// Seconds until all have touched all.
double touchTogether(std::vector<std::unique_ptr<LazyGuest>> &guests,
                     uint64_t pages) {
  double before = now();
  for (auto &g : guests)
    g->ask(LazyGuest::Op::Latency, 0, pages);
  for (auto &g : guests)
    if (g->answer() != int64_t(pages))
      die("a client failed");
  return now() - before;
}

} // namespace

int measureRound(const std::string &what, uint64_t pages, unsigned rounds) {
  Call call = what == "continue" ? Call::Continue
              : what == "copy"   ? Call::Copy
                                 : Call::Zero;
  World world(call == Call::Zero ? std::vector<uint64_t>(pages)
                                 : distinctPages(pages),
              true);
  LazyGuest::Options o;
  o.style = call == Call::Continue ? Style::Mapped : Style::Copied;
  auto server = startServer(1, 1);
  std::vector<double> p50, p99, bare50, bare99, ours50, ours99;
  for (unsigned round = 0; round < rounds + 1; ++round) {
    Latency ours{}, bare{};
    for (int turn = 0; turn < 2; ++turn) {
      auto g = world.guest(o);
      if ((turn + round) % 2) {
        SessionId id = world.add(*server, *g);
        usleep(2000);
        ours = touchAll(*g, pages);
        server->remove(id);
      } else {
        BareLoop loop(world, call, 1, {g.get()});
        usleep(2000);
        bare = touchAll(*g, pages);
      }
    }
    if (round == 0)
      continue; // warms up
    p50.push_back(ours.p50 / bare.p50);
    p99.push_back(ours.p99 / bare.p99);
    ours50.push_back(ours.p50), bare50.push_back(bare.p50);
    ours99.push_back(ours.p99), bare99.push_back(bare.p99);
  }
  std::printf("{\"p50\": %.3f, \"p99\": %.3f, \"ours50ns\": %.0f, "
              "\"bare50ns\": %.0f, \"ours99ns\": %.0f, \"bare99ns\": %.0f}\n",
              percentile(p50, 0.5), percentile(p99, 0.5),
              percentile(ours50, 0.5), percentile(bare50, 0.5),
              percentile(ours99, 0.5), percentile(bare99, 0.5));
  return 0;
}

int measureRate(unsigned clients, uint64_t pages, unsigned rounds) {
  World world(distinctPages(pages), true);
  auto server = startServer(1, 16);
  std::vector<double> ratios, oursRate, bareRate;
  for (unsigned round = 0; round < rounds + 1; ++round) {
    double ours = 0, bare = 0;
    for (int turn = 0; turn < 2; ++turn) {
      std::vector<std::unique_ptr<LazyGuest>> guests;
      for (unsigned i = 0; i < clients; ++i)
        guests.push_back(world.guest({}));
      if ((turn + round) % 2) {
        for (auto &g : guests)
          world.add(*server, *g);
        usleep(5000);
        ours = touchTogether(guests, pages);
      } else {
        std::vector<const LazyGuest *> all;
        for (auto &g : guests)
          all.push_back(g.get());
        BareLoop loop(world, Call::Continue, 16, all);
        usleep(5000);
        bare = touchTogether(guests, pages);
      }
    }
    if (round == 0)
      continue;
    ratios.push_back(bare / ours);
    double all = double(clients) * double(pages);
    oursRate.push_back(all / ours), bareRate.push_back(all / bare);
  }
  std::printf("{\"rate\": %.3f, \"oursPagesPerSecond\": %.0f, "
              "\"barePagesPerSecond\": %.0f}\n",
              percentile(ratios, 0.5), percentile(oursRate, 0.5),
              percentile(bareRate, 0.5));
  return 0;
}

/// A working set of stretches of 1 to 40 pages, a quarter of the memory.
static std::vector<std::pair<uint64_t, uint64_t>> someTouches(uint64_t pages) {
  std::mt19937_64 random(11);
  std::vector<std::pair<uint64_t, uint64_t>> all;
  for (uint64_t sum = 0; sum < pages / 4;) {
    uint64_t n = 1 + random() % 40;
    all.emplace_back(random() % (pages - n), n);
    sum += n;
  }
  return all;
}

int measureReplay(uint64_t pages, unsigned rounds) {
  World world(distinctPages(pages), true);
  auto server = startServer(1, 16);
  auto touches = someTouches(pages);
  auto work = [&](LazyGuest &g) {
    for (auto [page, n] : touches)
      if (g.call(LazyGuest::Op::Check, page, n) != 0)
        die("a page is wrong");
  };
  auto faultsOf = [&](SessionId id) {
    usleep(10'000);
    for (auto &s : server->stats())
      if (s.id == id)
        return double(s.faults);
    return -1.0;
  };
  auto recorder = world.guest({});
  SessionId id = world.add(*server, *recorder);
  work(*recorder);
  double recorded = faultsOf(id);
  auto order = server->workingSet(id);
  std::vector<double> left, early, first, firstBare, whole, wholeBare;
  for (unsigned round = 0; round < rounds; ++round)
    for (bool replay : {false, true}) {
      auto g = world.guest({});
      auto spec = g->spec(world.host, world.map);
      if (replay)
        spec.replay = order;
      double start = now();
      auto added = server->add(std::move(spec));
      if (!added)
        die(added.error().context);
      if (g->call(LazyGuest::Op::Check, touches[0].first, touches[0].second) !=
          0)
        die("a page is wrong");
      (replay ? first : firstBare).push_back((now() - start) * 1e6);
      work(*g);
      (replay ? whole : wholeBare).push_back((now() - start) * 1e6);
      if (replay)
        early.push_back(faultsOf(*added) / recorded);
      // And when the replay was over before the work began.
      if (replay) {
        auto late = world.guest({});
        auto again = late->spec(world.host, world.map);
        again.replay = order;
        auto second = server->add(std::move(again));
        usleep(100'000);
        work(*late);
        left.push_back(faultsOf(*second) / recorded);
      }
    }
  std::printf("{\"faultsLeft\": %.4f, \"faultsLeftAtOnce\": %.4f, "
              "\"recordedFaults\": %.0f, \"firstAnswerUs\": %.0f, "
              "\"firstAnswerWithoutUs\": %.0f, \"wholeUs\": %.0f, "
              "\"wholeWithoutUs\": %.0f}\n",
              percentile(left, 0.5), percentile(early, 0.5), recorded,
              percentile(first, 0.5), percentile(firstBare, 0.5),
              percentile(whole, 0.5), percentile(wholeBare, 0.5));
  return 0;
}

} // namespace spacer::test
