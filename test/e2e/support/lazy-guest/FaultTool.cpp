//===- FaultTool.cpp - what tests and measurements of faults start --------===//
//
//   fault-tool storm PAGES TOUCHES THREADS   REMOVE storm, both ways of mapping
//   fault-tool kvm PAGES                     a raw KVM guest on lazy memory
//   fault-tool sharing CLIENTS PAGES         sum of Pss: CONTINUE against COPY
//   fault-tool round continue|copy|zero PAGES ROUNDS
//   fault-tool rate CLIENTS PAGES ROUNDS
//   fault-tool replay PAGES ROUNDS
//
// Prints one line of JSON; exit code 0 if it could be done at all, 77 and the
// missing feature if not. test/e2e and test/bench judge.
//
//===----------------------------------------------------------------------===//

#include "FaultTool.h"
#include "RawKvm.h"
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>

namespace spacer::test {
namespace {

struct Pages final : PageSource {
  const std::vector<uint64_t> &numbers;
  std::vector<uint8_t> chunk;
  std::vector<Digest> &digests;
  std::vector<uint64_t> &words;
  uint64_t at = 0;

  Pages(const std::vector<uint64_t> &numbers, std::vector<Digest> &digests,
        std::vector<uint64_t> &words)
      : numbers(numbers), digests(digests), words(words) {}
  ObjectKind kind() const override { return ObjectKind::Snapshot; }
  uint64_t guestPages() const override { return numbers.size(); }
  uint64_t bytesToRead() const override { return numbers.size() * pageBytes; }
  Result<PageChunk> next() override {
    uint64_t n = std::min<uint64_t>(256, numbers.size() - at);
    chunk.assign(n * pageBytes, 0);
    for (uint64_t i = 0; i < n; ++i) {
      auto *page = reinterpret_cast<uint64_t *>(&chunk[i * pageBytes]);
      for (uint64_t w = 0; numbers[at + i] && w < pageBytes / 8; ++w)
        page[w] = numbers[at + i] * 0x9e3779b97f4a7c15 + w;
      words.push_back(page[0]);
      digests.push_back(digestOf({&chunk[i * pageBytes], pageBytes}));
    }
    PageChunk c{{at}, chunk, {}};
    at += n;
    return c;
  }
};

template <class T> T need(Result<T> r) {
  if (!r)
    die(r.error().context);
  return std::move(*r);
}

int stormCommand(uint64_t pages, uint64_t touches, unsigned threads) {
  World world(mixedPages(pages), false);
  std::unique_ptr<LazyGuest> guests[2];
  for (int i = 0; i < 2; ++i) {
    LazyGuest::Options o;
    o.style = i ? Style::Copied : Style::Mapped;
    guests[i] = world.guest(o);
  }
  auto server = startServer(2, 16);
  for (auto &g : guests)
    world.add(*server, *g);
  for (auto &g : guests)
    g->ask(LazyGuest::Op::Storm, 0, touches / 2, threads);
  int64_t wrong[2];
  for (int i = 0; i < 2; ++i)
    wrong[i] = guests[i]->answer();
  uint64_t removed = 0, retries = 0, faults = 0;
  for (auto &s : server->stats()) {
    removed += s.removed;
    retries += s.retries;
    faults += s.faults;
  }
  std::printf("{\"wrongMapped\": %lld, \"wrongCopied\": %lld, \"removed\": "
              "%llu, \"retries\": %llu, \"faults\": %llu}\n",
              (long long)wrong[0], (long long)wrong[1],
              (unsigned long long)removed, (unsigned long long)retries,
              (unsigned long long)faults);
  return 0;
}

/// In the child: the VM is made at the first call and stays.
int64_t kvmWork(uint8_t *memory, uint64_t bytes, uint64_t first, uint64_t pages,
                uint64_t value) {
  static RawKvm vm;
  static bool started = false;
  if (!started) {
    if (int e = vm.start(memory, bytes))
      return e;
    started = true;
  }
  return value ? vm.write(first, pages, 4, value) : vm.sum(first, pages, 1);
}

int kvmCommand(uint64_t pages) {
  World world(distinctPages(pages), true);
  auto server = startServer(1, 16);
  LazyGuest::Options o;
  o.custom = [bytes = pages * pageBytes](uint8_t *memory, uint64_t first,
                                         uint64_t n, uint64_t value) {
    return kvmWork(memory, bytes, first, n, value);
  };
  auto a = world.guest(o), b = world.guest(o);
  world.add(*server, *a);
  world.add(*server, *b);
  auto sums = [&](uint64_t written, uint64_t value) {
    uint64_t sum = 0;
    for (uint64_t p = 0; p < pages; ++p)
      sum += p % 4 == 0 && p / 4 < written ? value : world.firstWords[p];
    return int64_t(sum);
  };
  using Op = LazyGuest::Op;
  int64_t first = a->call(Op::Custom, 0, pages);
  if (first == -ENOENT || first == -EACCES || first == -ENODEV) {
    std::printf("/dev/kvm: %s\n", std::strerror(int(-first)));
    return 77;
  }
  int64_t ownAfterRead = a->ownPages();
  // Writes to pages that are mapped; in the other one to pages that are not.
  uint64_t many = pages / 8;
  int64_t wrote = a->call(Op::Custom, 0, many, 77);
  int64_t second = a->call(Op::Custom, 0, pages);
  int64_t ownAfterWrite = a->ownPages();
  int64_t wroteFirst = b->call(Op::Custom, 0, many, 78);
  int64_t third = b->call(Op::Custom, 0, pages);
  std::printf(
      "{\"read\": %d, \"ownAfterRead\": %lld, \"write\": %d, "
      "\"ownAfterWrite\": %lld, \"written\": %llu, \"writeFirst\": %d, "
      "\"ownWriteFirst\": %lld, \"process\": %d, \"raw\": [%lld, %lld]}\n",
      first == sums(0, 0), (long long)ownAfterRead,
      wrote >= 0 && second == sums(many, 77), (long long)ownAfterWrite,
      (unsigned long long)many, wroteFirst >= 0 && third == sums(many, 78),
      (long long)b->ownPages(), a->call(Op::Check, 1, 1) == 0, (long long)first,
      (long long)wroteFirst);
  return 0;
}

/// Pss of the guest's memory alone, in KiB.
uint64_t pssOf(const LazyGuest &g, uint64_t pages) {
  std::ifstream smaps("/proc/" + std::to_string(g.pid) + "/smaps");
  uint64_t sum = 0;
  bool in = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long long from, to, kib;
    if (std::sscanf(line.c_str(), "%llx-%llx ", &from, &to) == 2)
      in = from >= g.at(0).value && to <= g.at(pages).value;
    else if (in && std::sscanf(line.c_str(), "Pss: %llu", &kib) == 1)
      sum += kib;
  }
  return sum;
}

int sharingCommand(unsigned clients, uint64_t pages) {
  World world(distinctPages(pages), true);
  auto server = startServer(0, 16);
  uint64_t kib[2] = {};
  int64_t wrong = 0;
  for (int way = 0; way < 2; ++way) {
    LazyGuest::Options o;
    o.style = way ? Style::Copied : Style::Mapped;
    std::vector<std::unique_ptr<LazyGuest>> guests;
    for (unsigned i = 0; i < clients; ++i) {
      guests.push_back(world.guest(o));
      world.add(*server, *guests.back());
    }
    for (auto &g : guests)
      wrong += g->call(LazyGuest::Op::Check, 0, pages);
    for (auto &g : guests)
      g->call(LazyGuest::Op::Write, 0, pages / 10, 5);
    for (auto &g : guests)
      kib[way] += pssOf(*g, pages);
  }
  // The pool's share in the daemon's own mapping is Pss too.
  std::printf("{\"continueKiB\": %llu, \"copyKiB\": %llu, \"poolKiB\": %llu, "
              "\"wrong\": %lld}\n",
              (unsigned long long)kib[0], (unsigned long long)kib[1],
              (unsigned long long)(pages * 4), (long long)wrong);
  return 0;
}

} // namespace

World::World(const std::vector<uint64_t> &numbers, bool filled) {
  if (auto uffd =
          Uffd::create(UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_EVENT_REMOVE);
      !uffd) {
    std::printf("userfaultfd: %s\n", uffd.error().context.c_str());
    std::exit(77);
  }
  std::string name =
      (std::filesystem::temp_directory_path() / "spacer-faults-XXXXXX")
          .string();
  folder = mkdtemp(name.data());
  disk = need(PagePool::open(folder, "d", PagePool::Access::Write));
  Pages source(numbers, digests, firstWords);
  need(disk->add("o", source));
  map = std::make_shared<PageMap>(need(disk->map("o")));
  host = need(HostPool::create(disk, std::max<uint64_t>(disk->pageCount(), 1)));
  if (filled &&
      host->fill({0}, disk->pageCount()) != HostPool::Outcome::Present)
    die("the pool cannot be read");
  clientFd = need(host->clientFd());
}

World::~World() {
  std::error_code none;
  std::filesystem::remove_all(folder, none);
}

std::unique_ptr<LazyGuest> World::guest(LazyGuest::Options options) const {
  std::string why;
  auto g = LazyGuest::start(*map, clientFd.get(), digests, options, why);
  if (!g)
    die(why);
  return g;
}

SessionId World::add(PageServer &server, const LazyGuest &g) const {
  return need(server.add(g.spec(host, map)));
}

std::vector<uint64_t> mixedPages(uint64_t pages) {
  std::mt19937_64 random(7);
  std::vector<uint64_t> numbers;
  uint64_t next = 1;
  while (numbers.size() < pages) {
    for (uint64_t n = 1 + random() % 256; n; --n)
      numbers.push_back(next++);
    numbers.resize(numbers.size() + random() % 33);
  }
  numbers.resize(pages);
  return numbers;
}

std::vector<uint64_t> distinctPages(uint64_t pages) {
  std::vector<uint64_t> numbers;
  while (numbers.size() < pages)
    numbers.push_back(numbers.size() + 1);
  return numbers;
}

void die(const std::string &why) {
  std::fprintf(stderr, "fault-tool: %s\n", why.c_str());
  std::exit(1);
}

std::unique_ptr<PageServer> startServer(unsigned threads, uint64_t batch) {
  PageServerOptions o;
  o.threads = threads;
  o.batchPages = batch;
  return need(PageServer::start(std::move(o)));
}

double percentile(std::vector<double> values, double which) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         size_t(double(values.size()) * which))];
}

} // namespace spacer::test

int main(int argc, char **argv) {
  using namespace spacer::test;
  std::vector<std::string> a(argv + 1, argv + argc);
  auto number = [&](size_t i) { return std::stoull(a.at(i)); };
  if (a.size() == 4 && a[0] == "storm")
    return stormCommand(number(1), number(2), unsigned(number(3)));
  if (a.size() == 2 && a[0] == "kvm")
    return kvmCommand(number(1));
  if (a.size() == 3 && a[0] == "sharing")
    return sharingCommand(unsigned(number(1)), number(2));
  if (a.size() == 4 && a[0] == "round")
    return measureRound(a[1], number(2), unsigned(number(3)));
  if (a.size() == 4 && a[0] == "rate")
    return measureRate(unsigned(number(1)), number(2), unsigned(number(3)));
  if (a.size() == 3 && a[0] == "replay")
    return measureReplay(number(1), unsigned(number(2)));
  die("no such command; see FaultTool.cpp");
}
