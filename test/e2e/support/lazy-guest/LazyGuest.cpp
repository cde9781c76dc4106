//===- LazyGuest.cpp - a process whose memory comes by faults -------------===//

#include "LazyGuest.h"
#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <random>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>

namespace spacer::test {
namespace {

struct Request {
  LazyGuest::Op op;
  uint64_t page, pages, value;
};

constexpr uint64_t mostSamples = 1 << 17;

sigjmp_buf onBusError;
void busError(int) { siglongjmp(onBusError, 1); }

/// What the child has.
struct Child {
  const PageMap &map;
  int poolFd;
  const std::vector<Digest> &digests;
  LazyGuest::Options options;
  int socket;
  uint32_t *samples;
  uint8_t *memory = nullptr;

  void *at(uint64_t page) const { return memory + page * pageBytes; }
  std::string mapMemory(uint8_t *base);
  std::string registerAll(const std::vector<Region> &regions, Uffd &uffd);
  [[noreturn]] void run(uint8_t *base, const std::vector<Region> &regions);
  int64_t serve(const Request &r);
  int64_t touchAll(const Request &r);
};

uint64_t bytesOf(const PageMap &map, Style style) {
  uint64_t grain = style == Style::Huge ? hugePageBytes : pageBytes;
  return (map.guestPages() * pageBytes + grain - 1) / grain * grain;
}

std::vector<Region> regionsOf(const PageMap &map, Style style, uint64_t base) {
  if (style != Style::Mapped)
    return {{{base},
             bytesOf(map, style),
             {0},
             RegionKind::Anonymous,
             uint32_t(style == Style::Huge ? hugePageBytes : pageBytes)}};
  std::vector<Region> all;
  for (uint64_t p = 0; p < map.guestPages();) {
    auto piece = map.at({p});
    all.push_back({{base + p * pageBytes},
                   piece.pages * pageBytes,
                   {p},
                   piece.pool ? RegionKind::PoolMapping : RegionKind::Anonymous,
                   uint32_t(pageBytes)});
    p += piece.pages;
  }
  return all;
}

std::string failed(const char *what) {
  return std::string(what) + ": " + std::strerror(errno);
}

std::string Child::mapMemory(uint8_t *base) {
  uint64_t bytes = bytesOf(map, options.style);
  int huge = options.style == Style::Huge ? MAP_HUGETLB : 0;
  memory = base;
  if (mmap(base, bytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE | huge, -1,
           0) == MAP_FAILED)
    return failed("mmap");
  // One mapping a region, also where anonymous memory meets anonymous memory.
  madvise(base, bytes, MADV_NOHUGEPAGE);
  if (options.style == Style::Mapped)
    for (const PageRun &r : map.runs())
      if (mmap(at(r.guest.value), r.pages * pageBytes, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, poolFd,
               off_t(offsetOf(r.pool).value)) == MAP_FAILED)
        return failed("mmap of the pool");
  if (options.shadow &&
      mmap(base + bytes, pageBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
    return failed("mmap");
  return {};
}

std::string Child::registerAll(const std::vector<Region> &regions, Uffd &uffd) {
  for (const Region &r : regions) {
    uint64_t mode = UFFDIO_REGISTER_MODE_MISSING;
    if (r.kind == RegionKind::PoolMapping)
      mode |= UFFDIO_REGISTER_MODE_MINOR;
    if (int e = uffd.registerRange(r.start, r.bytes, mode))
      return std::string("UFFDIO_REGISTER: ") + std::strerror(-e);
  }
  if (options.shadow)
    uffd.registerRange(regions.back().start + regions.back().bytes, pageBytes,
                       UFFDIO_REGISTER_MODE_MISSING);
  return {};
}

bool sendFd(int socket, int fd, const std::string &why) {
  char text[256];
  size_t n = std::min(why.size(), sizeof text - 1);
  std::memcpy(text, why.data(), n);
  text[n] = 0;
  iovec part{text, n + 1};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof fd)];
  msghdr m{};
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  if (fd >= 0) {
    m.msg_control = room;
    m.msg_controllen = sizeof room;
    cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  return sendmsg(socket, &m, 0) >= 0;
}

UniqueFd receiveFd(int socket, std::string &why) {
  char text[256] = {};
  iovec part{text, sizeof text - 1};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))];
  msghdr m{};
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  m.msg_control = room;
  m.msg_controllen = sizeof room;
  if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) <= 0) {
    why = "the child ended";
    return {};
  }
  why = text;
  int fd = -1;
  if (cmsghdr *c = CMSG_FIRSTHDR(&m))
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
  return UniqueFd(fd);
}

void Child::run(uint8_t *base, const std::vector<Region> &regions) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::string why = mapMemory(base);
  auto uffd = Uffd::create(options.features);
  if (!uffd)
    why = uffd.error().context;
  if (why.empty())
    why = registerAll(regions, *uffd);
  sendFd(socket, why.empty() ? uffd->fd() : -1, why);
  if (!why.empty())
    _exit(1);
  uffd->release(); // stays open, as in a VMM
  struct sigaction action{};
  action.sa_handler = busError;
  action.sa_flags = SA_NODEFER;
  sigaction(SIGBUS, &action, nullptr);
  Request r;
  while (recv(socket, &r, sizeof r, 0) == sizeof r) {
    int64_t result = sigsetjmp(onBusError, 1) ? -2 : serve(r);
    if (send(socket, &result, sizeof result, MSG_NOSIGNAL) < 0)
      break;
  }
  _exit(0);
}

int64_t Child::serve(const Request &r) {
  using Op = LazyGuest::Op;
  auto *word = static_cast<volatile uint64_t *>(at(r.page));
  int64_t wrong = 0;
  switch (r.op) {
  case Op::Check:
    for (uint64_t p = r.page; p < r.page + r.pages; ++p)
      wrong += digestOf({memory + p * pageBytes, pageBytes}) != digests[p];
    return wrong;
  case Op::Zero:
    for (uint64_t p = r.page; p < r.page + r.pages; ++p)
      wrong += !allZero({memory + p * pageBytes, pageBytes});
    return wrong;
  case Op::Read:
    return int64_t(*word);
  case Op::Write:
    for (uint64_t p = 0; p < r.pages; ++p)
      word[p * pageBytes / 8] = r.value;
    return 0;
  case Op::Discard:
    return madvise(at(r.page), r.pages * pageBytes, MADV_DONTNEED);
  case Op::Unmap:
    return munmap(at(r.page), r.pages * pageBytes);
  case Op::Move: {
    void *to = mremap(at(r.page), r.pages * pageBytes, r.pages * pageBytes,
                      MREMAP_MAYMOVE | MREMAP_FIXED,
                      memory + bytesOf(map, options.style) + pageBytes);
    return to == MAP_FAILED ? -1 : 0;
  }
  case Op::Storm:
    return int64_t(storm(memory, digests, r.pages, unsigned(r.value), 1));
  case Op::Custom:
    return options.custom(memory, r.page, r.pages, r.value);
  case Op::Latency:
    return touchAll(r);
  }
  return -3;
}

int64_t Child::touchAll(const Request &r) {
  auto now = [] {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return uint64_t(t.tv_sec) * 1'000'000'000 + uint64_t(t.tv_nsec);
  };
  uint64_t n = std::min(r.pages, mostSamples), sum = 0;
  for (uint64_t i = 0; i < n; ++i) {
    auto *word = static_cast<volatile uint64_t *>(at(r.page + i));
    uint64_t before = now();
    if (r.value)
      *word = r.value;
    else
      sum += *word;
    samples[i] = uint32_t(std::min<uint64_t>(now() - before, UINT32_MAX));
  }
  return int64_t(n) + int64_t(sum & 0);
}

} // namespace

LazyGuest::LazyGuest(pid_t pid, std::vector<Region> regions, HostAddr base)
    : pid(pid), regions(std::move(regions)), base(base) {}

std::unique_ptr<LazyGuest> LazyGuest::start(const PageMap &map, int poolFd,
                                            std::vector<Digest> digests,
                                            Options options, std::string &why) {
  uint64_t bytes = bytesOf(map, options.style);
  digests.resize(bytes / pageBytes, digestOf(std::vector<uint8_t>(pageBytes)));
  // An address that is free in both: reserved here, mapped over in the child.
  // Room behind it for the shadow page and for what Move moves.
  uint64_t room = 2 * bytes + 2 * hugePageBytes;
  void *reserved = mmap(nullptr, room, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  int ends[2];
  void *samples =
      mmap(nullptr, mostSamples * sizeof(uint32_t), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED || samples == MAP_FAILED ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    why = failed("guest");
    return nullptr;
  }
  Mapping sampleMap(samples, mostSamples * sizeof(uint32_t));
  Mapping hold(reserved, room);
  UniqueFd ours(ends[0]), theirs(ends[1]);
  auto start = reinterpret_cast<uintptr_t>(reserved);
  start = (start + hugePageBytes - 1) / hugePageBytes * hugePageBytes;
  auto regions = regionsOf(map, options.style, start);
  pid_t pid = fork();
  if (pid == 0) {
    ours.reset();
    Child child{map,     poolFd,       digests,
                options, theirs.get(), static_cast<uint32_t *>(samples)};
    child.run(reinterpret_cast<uint8_t *>(start), regions);
  }
  theirs.reset();
  std::unique_ptr<LazyGuest> made(
      new LazyGuest(pid, std::move(regions), {start}));
  made->guestPages = bytes / pageBytes;
  made->shared = std::move(sampleMap);
  made->descriptor = receiveFd(ours.get(), why);
  made->socket = std::move(ours);
  return made->descriptor ? std::move(made) : nullptr;
}

LazyGuest::~LazyGuest() {
  kill();
  waitpid(pid, nullptr, 0);
}

void LazyGuest::kill() { ::kill(pid, SIGKILL); }

HostAddr LazyGuest::at(uint64_t page) const { return base + page * pageBytes; }

SessionSpec LazyGuest::spec(std::shared_ptr<HostPool> pool,
                            std::shared_ptr<const PageMap> map) const {
  SessionSpec s;
  s.name = "guest-" + std::to_string(pid);
  s.object = "test";
  s.uffd.reset(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
  s.pidfd.reset(int(syscall(SYS_pidfd_open, pid, 0)));
  s.pool = std::move(pool);
  s.map = std::move(map);
  s.regions = regions;
  return s;
}

void LazyGuest::ask(Op op, uint64_t page, uint64_t pages, uint64_t value) {
  Request r{op, page, pages, value};
  send(socket.get(), &r, sizeof r, MSG_NOSIGNAL);
}

bool LazyGuest::answered(int ms) {
  pollfd p{socket.get(), POLLIN, 0};
  return poll(&p, 1, ms) == 1;
}

int64_t LazyGuest::answer() {
  int64_t result = -1;
  if (recv(socket.get(), &result, sizeof result, 0) != sizeof result)
    return -1;
  return result;
}

const std::vector<uint32_t> &LazyGuest::latency() const {
  auto *from = reinterpret_cast<const uint32_t *>(shared.data());
  samples.assign(from, from + mostSamples);
  return samples;
}

int64_t LazyGuest::ownPages() const {
  std::string path = "/proc/" + std::to_string(pid) + "/pagemap";
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return -errno;
  int64_t pages = 0;
  page_region found[64];
  pm_scan_arg arg{};
  arg.size = sizeof arg;
  arg.start = base.value;
  arg.end = at(guestPages).value;
  arg.vec = reinterpret_cast<uintptr_t>(found);
  arg.vec_len = std::size(found);
  arg.category_mask = PAGE_IS_PRESENT | PAGE_IS_FILE | PAGE_IS_PFNZERO;
  arg.category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO;
  arg.return_mask = PAGE_IS_PRESENT;
  while (arg.start < arg.end) {
    int n = ioctl(fd.get(), PAGEMAP_SCAN, &arg);
    if (n < 0)
      return -errno;
    for (int i = 0; i < n; ++i)
      pages += int64_t((found[i].end - found[i].start) / pageBytes);
    arg.start = arg.walk_end;
  }
  return pages;
}

uint64_t storm(uint8_t *memory, const std::vector<Digest> &digests,
               uint64_t touches, unsigned threads, uint64_t seed) {
  std::atomic<uint64_t> wrong{0};
  const Digest zero = digestOf(std::vector<uint8_t>(pageBytes));
  auto part = [&](unsigned number) {
    // Each has every threads-th stretch of 32 pages, so that batches of
    // neighbours cross from one thread's pages to another's.
    std::vector<uint64_t> mine;
    for (uint64_t p = 0; p < digests.size(); ++p)
      if (p / 32 % threads == number)
        mine.push_back(p);
    if (mine.empty())
      return;
    std::vector<Digest> expected = digests;
    std::mt19937_64 random(seed * 1000 + number);
    std::vector<uint8_t> copy(pageBytes);
    uint64_t left = touches / threads;
    while (left) {
      uint64_t start = random() % mine.size();
      uint64_t many = std::min<uint64_t>(1 + random() % 32, left);
      for (uint64_t i = start; i < std::min(start + many, mine.size()); ++i) {
        uint64_t p = mine[i];
        uint8_t *page = memory + p * pageBytes;
        std::memcpy(copy.data(), page, pageBytes);
        wrong += digestOf(copy) != expected[p];
        --left;
        if (random() % 4 == 0) {
          uint64_t word = random() | 1;
          std::memcpy(page, &word, 8);
          std::memcpy(copy.data(), &word, 8);
          expected[p] = digestOf(copy);
        }
      }
      // A stretch without gap: a thread's own.
      uint64_t p = mine[random() % mine.size()];
      uint64_t end = std::min<uint64_t>(p / 32 * 32 + 32, digests.size());
      if (madvise(memory + p * pageBytes, (end - p) * pageBytes,
                  MADV_DONTNEED) != 0)
        ++wrong;
      for (; p < end; ++p)
        expected[p] = zero;
    }
  };
  std::vector<std::thread> running;
  for (unsigned t = 0; t < threads; ++t)
    running.emplace_back(part, t);
  for (auto &t : running)
    t.join();
  return wrong;
}

} // namespace spacer::test
