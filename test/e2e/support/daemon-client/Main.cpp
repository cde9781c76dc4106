//===- Main.cpp - a VM that is one process and only touches memory --------===//
//
// What spacerd's tests need of a guest:
//
//   daemon-client make FILE PAGES SEED    writes a file of guest memory
//   daemon-client add POOL DOMAIN NAME FILE   imports it
//   daemon-client touch SOCKET OBJECT SEED [OPTIONS]
//       maps the object through the daemon and touches every page, in random
//       order, again and again: reads must find the file's content or what was
//       written since or, after a removal, zeros
//         --rounds=N      how often each page is touched (default 1)
//         --seconds=N     rounds until so much time has passed
//         --pages=N       only the first N pages of the random order
//         --gate          after mapping says "mapped" and waits for a line
//         --remove        now and then gives pages back (MADV_DONTNEED)
//         --write=PERCENT of touches that write (default 30)
//         --pause=US      after each touch, sleeping (default 0)
//         --lazy=cold|all|none, --random=SEED, --name=NAME
//         --hold          afterwards waits for standard input to end, then
//                         reads everything once more
//       ends with a line "ok pages=N longest=US session=N"; 1 and a line
//       "wrong ..." if a page is not what it must be
//   daemon-client deny SOCKET OBJECT      tries to write the pool in each way
//       there is, with the descriptor that the daemon gives
//
// Page p of a file made with SEED: zero if p is a multiple of 7, else words
// (SEED, p, i) mixed; so any page can be checked without the file.
//
//===----------------------------------------------------------------------===//

#include "Client.h"
#include "PagePool.h"
#include "Uffd.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

using namespace spacer;
using Clock = std::chrono::steady_clock;

namespace {

constexpr size_t words = pageBytes / 8;

uint64_t mix(uint64_t x) {
  x ^= x >> 31;
  x *= 0x9e3779b97f4a7c15;
  return x ^ x >> 29;
}

uint64_t wordOf(uint64_t seed, uint64_t page, size_t i) {
  // Half of the pages are the same for every seed: objects share them.
  return page % 7 == 0 ? 0 : mix(mix((page % 2 ? seed : 0) + page) + i) | 1;
}

[[noreturn]] void fail(const std::string &why) {
  std::printf("failed: %s\n", why.c_str());
  std::exit(2);
}
template <class T> T need(Result<T> value) {
  if (!value)
    fail(value.error().context);
  return std::move(*value);
}

int make(const char *path, uint64_t pages, uint64_t seed) {
  FILE *file = std::fopen(path, "wb");
  if (!file)
    fail(path);
  uint64_t page[words];
  for (uint64_t p = 0; p < pages; ++p) {
    for (size_t i = 0; i < words; ++i)
      page[i] = wordOf(seed, p, i);
    std::fwrite(page, 1, sizeof page, file);
  }
  return std::fclose(file);
}

int add(const char *pool, const char *domain, const char *name,
        const char *path) {
  auto opened = need(PagePool::open(pool, domain, PagePool::Access::Write));
  auto source = need(openRaw(path, ObjectKind::Snapshot));
  auto summary = need(opened->add(name, *source));
  std::printf("new=%llu shared=%llu zero=%llu\n",
              static_cast<unsigned long long>(summary.newPages),
              static_cast<unsigned long long>(summary.sharedPages),
              static_cast<unsigned long long>(summary.zeroPages));
  return 0;
}

struct TouchOptions {
  uint64_t seed = 0, rounds = 1, writePercent = 30, pauseMicroseconds = 0;
  uint64_t random = 1;
  uint64_t seconds = 0, pages = ~uint64_t(0);
  bool remove = false, hold = false, gate = false;
  LazyPolicy lazy = LazyPolicy::Cold;
  std::string name = "client";
};

enum class State : uint8_t { Original, Removed, Written };

class Toucher {
public:
  Toucher(const TouchOptions &options, GuestMemory guest)
      : options(options), memory(std::move(guest.memory)),
        pages(memory.size() / pageBytes), watched(pages), states(pages),
        stamps(pages), random(options.random) {
    for (const LazyRange &r : guest.lazy)
      for (uint64_t p = 0; p < r.bytes / pageBytes; ++p)
        watched[r.guest.value + p] = true;
  }

  void run();
  void checkAll() {
    for (uint64_t p = 0; p < pages; ++p)
      check(p);
  }
  uint64_t count() const { return pages; }
  Clock::duration longest{};

private:
  volatile uint64_t *at(uint64_t page) {
    return reinterpret_cast<volatile uint64_t *>(memory.data() +
                                                 page * pageBytes);
  }
  uint64_t expected(uint64_t page, size_t i) const {
    if (i == stampAt && states[page] == State::Written)
      return stamps[page];
    return states[page] == State::Original || wholeOriginal[page]
               ? wordOf(options.seed, page, i)
               : 0;
  }
  void check(uint64_t page);
  void write(uint64_t page);
  void giveBack();
  template <class F> void timed(F touch) {
    auto before = Clock::now();
    touch();
    longest = std::max(longest, Clock::now() - before);
  }

  static constexpr size_t stampAt = 17;
  const TouchOptions &options;
  Mapping memory;
  uint64_t pages;
  std::vector<bool> watched; ///< by the daemon
  std::vector<State> states;
  /// A written page has its first content around the stamp, unless it had been
  /// given back before.
  std::vector<bool> wholeOriginal = std::vector<bool>(pages, true);
  std::vector<uint64_t> stamps;
  std::mt19937_64 random;
};

void Toucher::check(uint64_t page) {
  timed([&] { (void)*at(page); });
  for (size_t i = 0; i < words; ++i) {
    uint64_t found = at(page)[i];
    if (found == expected(page, i))
      continue;
    std::printf("wrong page %llu word %zu: %llx, expected %llx, state %d\n",
                static_cast<unsigned long long>(page), i,
                static_cast<unsigned long long>(found),
                static_cast<unsigned long long>(expected(page, i)),
                int(states[page]));
    std::exit(1);
  }
}

void Toucher::write(uint64_t page) {
  uint64_t stamp = random() | 1;
  timed([&] { at(page)[stampAt] = stamp; });
  states[page] = State::Written;
  stamps[page] = stamp;
}

void Toucher::giveBack() {
  uint64_t first = random() % pages;
  uint64_t count = std::min<uint64_t>(1 + random() % 16, pages - first);
  for (uint64_t p = first; p < first + count; ++p) {
    uint8_t *at = memory.data() + p * pageBytes;
    if (watched[p] && madvise(at, pageBytes, MADV_DONTNEED) != 0)
      fail("madvise");
    if (!watched[p])
      if (auto done = discard({reinterpret_cast<uintptr_t>(at)}, pageBytes);
          !done)
        fail(done.error().context);
    states[p] = State::Removed;
    wholeOriginal[p] = false;
  }
}

void Toucher::run() {
  std::vector<uint64_t> order(pages);
  for (uint64_t p = 0; p < pages; ++p)
    order[p] = p;
  auto end = Clock::now() + std::chrono::seconds(options.seconds);
  for (uint64_t round = 0;
       options.seconds ? Clock::now() < end : round < options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    if (round == 0 && options.pages < pages)
      order.resize(options.pages);
    for (uint64_t p : order) {
      if (options.remove && random() % 64 == 0)
        giveBack();
      if (random() % 100 < options.writePercent)
        write(p);
      check(p);
      if (options.pauseMicroseconds)
        usleep(static_cast<useconds_t>(options.pauseMicroseconds));
    }
  }
}

/// A daemon that is killed between our question and its answer loses the
/// connection: asking again is what docs/protocol.md says.
struct Mapped {
  GuestMemory guest;
  UniqueFd uffd;
  uint64_t session = 0;
};
Mapped mapThrough(const char *socket, const char *object,
                  const TouchOptions &o) {
  for (int attempt = 0;; ++attempt) {
    auto again = [&](const Error &why) {
      bool lost = why.sysErrno == ECONNRESET || why.sysErrno == EPIPE;
      if (!lost || attempt == 100)
        fail(why.context);
    };
    auto client = need(Client::connect(socket));
    auto opened = client.open(object, 10'000, o.lazy);
    if (!opened) {
      again(opened.error());
      continue;
    }
    auto guest = need(mapPlan(opened->plan, opened->pool.get()));
    if (guest.lazy.empty())
      return {std::move(guest), {}, 0};
    auto uffd = need(Uffd::create(UFFD_FEATURE_MISSING_SHMEM |
                                  UFFD_FEATURE_MINOR_SHMEM |
                                  UFFD_FEATURE_EVENT_REMOVE));
    for (const LazyRange &r : guest.lazy)
      if (int e = uffd.registerRange(r.start, r.bytes,
                                     UFFDIO_REGISTER_MODE_MISSING |
                                         UFFDIO_REGISTER_MODE_MINOR))
        fail("register: " + std::string(std::strerror(-e)));
    auto session = client.attach(object, o.name, guest.lazy, uffd.fd());
    if (!session) {
      again(session.error());
      continue;
    }
    return {std::move(guest), uffd.release(), *session};
  }
}

int touch(const char *socket, const char *object, const TouchOptions &options) {
  Mapped mapped = mapThrough(socket, object, options);
  Toucher toucher(options, std::move(mapped.guest));
  if (options.gate) {
    std::puts("mapped");
    std::fflush(stdout);
    char byte;
    if (read(0, &byte, 1) != 1)
      return 2;
  }
  toucher.run();
  if (options.hold) {
    std::printf("holding session=%llu\n",
                static_cast<unsigned long long>(mapped.session));
    std::fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0)
      ;
    toucher.checkAll();
  }
  std::printf(
      "ok pages=%llu longest=%lld session=%llu\n",
      static_cast<unsigned long long>(toucher.count()),
      static_cast<long long>(
          std::chrono::duration_cast<std::chrono::microseconds>(toucher.longest)
              .count()),
      static_cast<unsigned long long>(mapped.session));
  return 0;
}

int deny(const char *socket, const char *object) {
  auto client = need(Client::connect(socket));
  auto opened = need(client.open(object, 10'000, LazyPolicy::None));
  int pool = opened.pool.get();
  std::string self = "/proc/self/fd/" + std::to_string(pool);
  UniqueFd writable(open(self.c_str(), O_RDWR | O_CLOEXEC));
  int done = 0;
  auto refused = [&](const char *what, bool succeeded) {
    std::printf("%s: %s\n", what, succeeded ? "POSSIBLE" : "refused");
    done |= succeeded;
  };
  for (int fd : {pool, writable.get()}) {
    char page[pageBytes] = {1};
    refused("write", write(fd, page, sizeof page) > 0);
    refused("pwrite", pwrite(fd, page, sizeof page, pageBytes) > 0);
    void *at =
        mmap(nullptr, pageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    refused("shared writable mapping", at != MAP_FAILED);
    at = mmap(nullptr, pageBytes, PROT_READ, MAP_SHARED, fd, 0);
    refused("mprotect of a shared mapping",
            at != MAP_FAILED &&
                mprotect(at, pageBytes, PROT_READ | PROT_WRITE) == 0);
    refused("punch a hole",
            fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                      pageBytes) == 0);
    refused("allocate", fallocate(fd, 0, 0, 1ll << 50) == 0);
    refused("truncate", ftruncate(fd, 0) == 0);
    refused("grow", ftruncate(fd, 1ll << 50) == 0);
    refused("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
  }
  return done;
}

uint64_t number(const char *text) { return std::strtoull(text, nullptr, 0); }

} // namespace

int main(int argc, char **argv) {
  std::string what = argc > 1 ? argv[1] : "";
  if (what == "make" && argc == 5)
    return make(argv[2], number(argv[3]), number(argv[4]));
  if (what == "add" && argc == 6)
    return add(argv[2], argv[3], argv[4], argv[5]);
  if (what == "deny" && argc == 4)
    return deny(argv[2], argv[3]);
  if (what != "touch" || argc < 5) {
    std::fprintf(stderr, "daemon-client: see the head of its source\n");
    return 2;
  }
  TouchOptions options;
  options.seed = number(argv[4]);
  for (int i = 5; i < argc; ++i) {
    std::string word = argv[i];
    size_t equals = word.find('=');
    std::string value = equals == word.npos ? "" : word.substr(equals + 1);
    std::string key = word.substr(0, equals);
    if (key == "--rounds")
      options.rounds = number(value.c_str());
    else if (key == "--write")
      options.writePercent = number(value.c_str());
    else if (key == "--pause")
      options.pauseMicroseconds = number(value.c_str());
    else if (key == "--seconds")
      options.seconds = number(value.c_str());
    else if (key == "--pages")
      options.pages = number(value.c_str());
    else if (key == "--gate")
      options.gate = true;
    else if (key == "--random")
      options.random = number(value.c_str());
    else if (key == "--name")
      options.name = value;
    else if (key == "--remove")
      options.remove = true;
    else if (key == "--hold")
      options.hold = true;
    else if (key == "--lazy")
      options.lazy = value == "all"    ? LazyPolicy::All
                     : value == "none" ? LazyPolicy::None
                                       : LazyPolicy::Cold;
    else
      fail("unknown option " + word);
  }
  return touch(argv[2], argv[3], options);
}
