//===- MemoryMap.cpp - a plan made real in this process -------------------===//
//
// Problem: a clone must be mapped in milliseconds, so nothing but the mmap()
// calls themselves may cost anything.
//
// Steps: 1. one anonymous mapping over the whole range: zero pages are done;
// 2. one mmap() for each pool or lazy step; 3. copies by preadv(), where runs
// that follow each other in the pool go in one call; 4. other protections.
//
// Everything is MAP_NORESERVE: most of it will never be written. Anonymous
// parts are MADV_NOHUGEPAGE, else one touched zero page would take 2 MiB of the
// host. If a step fails, the whole range becomes anonymous zero memory again.
//
// Source: mmap(2), madvise(2), Linux mm/mmap.c (which mappings merge).
//
//===----------------------------------------------------------------------===//

#include "MemoryMap.h"
#include <algorithm>
#include <cerrno>
#include <climits>
#include <sys/stat.h>
#include <sys/uio.h>

namespace spacer {
namespace {

void *pointer(HostAddr a) { return reinterpret_cast<void *>(a.value); }

struct Composer {
  const Plan &plan;
  int poolFd;
  HostAddr base;
  int protection;
  const PageReader &reader;

  HostAddr address(GuestPage page) const {
    return base + page.value * pageBytes;
  }
  bool isMapped(const PlanStep &s) const {
    return s.kind == StepKind::Pool || (s.kind == StepKind::Lazy && !reader);
  }
  bool isCopied(const PlanStep &s) const {
    return s.kind == StepKind::Copy || (s.kind == StepKind::Lazy && reader);
  }

  /// A mapping beyond the end of the pool would be a SIGBUS later.
  Result<void> checkPool() const {
    uint64_t end = 0;
    for (const PlanStep &s : plan.steps())
      if (isMapped(s) || (isCopied(s) && !reader))
        end = std::max(end, (s.pool + s.pages).value);
    struct stat st;
    if (end && fstat(poolFd, &st) != 0)
      return systemError("pool");
    if (end && uint64_t(st.st_size) < end * pageBytes)
      return Error{EBADMSG, "pool: has " + std::to_string(st.st_size) +
                                " bytes, the plan needs " +
                                std::to_string(end * pageBytes)};
    return {};
  }

  Result<void> mapRuns(std::vector<LazyRange> &lazy) const {
    for (const PlanStep &s : plan.steps()) {
      if (!isMapped(s))
        continue;
      HostAddr at = address(s.guest);
      if (mmap(pointer(at), s.pages * pageBytes, protection,
               MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, poolFd,
               off_t(offsetOf(s.pool).value)) == MAP_FAILED)
        return systemError(
            "mapping " + std::to_string(s.pages) + " pages of the pool at " +
            "guest page " + std::to_string(s.guest.value) +
            (errno == ENOMEM ? " (vm.max_map_count may be too low)" : ""));
      if (s.kind == StepKind::Lazy)
        lazy.push_back({at, s.pages * pageBytes, s.guest});
    }
    return {};
  }

  /// Fills \p parts, all of which follow each other in the pool from \p first.
  Result<void> readParts(PoolPage first, std::vector<iovec> &parts) const {
    auto offset = off_t(offsetOf(first).value);
    for (size_t i = 0; i < parts.size();) {
      ssize_t got = preadv(poolFd, &parts[i], int(parts.size() - i), offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return systemError("pool: reading at offset " + std::to_string(offset));
      if (got == 0)
        return Error{EBADMSG, "pool: ends at offset " + std::to_string(offset)};
      offset += got;
      for (auto left = size_t(got); left;) { // short reads end anywhere
        size_t taken = std::min(left, parts[i].iov_len);
        parts[i].iov_base = static_cast<char *>(parts[i].iov_base) + taken;
        left -= taken;
        if ((parts[i].iov_len -= taken) == 0)
          ++i;
      }
    }
    return {};
  }

  Result<void> copyRuns() const {
    std::vector<PlanStep> copies;
    for (const PlanStep &s : plan.steps())
      if (isCopied(s))
        copies.push_back(s);
    if (reader) {
      for (const PlanStep &s : copies)
        if (auto done = reader(
                s.pool, {static_cast<uint8_t *>(pointer(address(s.guest))),
                         s.pages * pageBytes});
            !done)
          return done;
      return {};
    }
    std::sort(copies.begin(), copies.end(),
              [](const PlanStep &a, const PlanStep &b) {
                return std::pair(a.pool, a.guest) < std::pair(b.pool, b.guest);
              });
    std::vector<iovec> parts;
    for (size_t i = 0; i < copies.size();) {
      PoolPage first = copies[i].pool, next = first;
      parts.clear();
      for (; i < copies.size() && copies[i].pool == next &&
             parts.size() < IOV_MAX;
           ++i) {
        parts.push_back(
            {pointer(address(copies[i].guest)), copies[i].pages * pageBytes});
        next += copies[i].pages;
      }
      if (auto done = readParts(first, parts); !done)
        return done;
    }
    return {};
  }

  /// Anonymous parts were writable for the copies.
  Result<void> protect() const {
    if (protection == (PROT_READ | PROT_WRITE))
      return {};
    for (const PlanStep &s : plan.steps())
      if (!isMapped(s) && mprotect(pointer(address(s.guest)),
                                   s.pages * pageBytes, protection) != 0)
        return systemError("protecting guest page " +
                           std::to_string(s.guest.value));
    return {};
  }

  Result<void> compose(std::vector<LazyRange> &lazy) const {
    if (auto done = mapRuns(lazy); !done)
      return done;
    if (auto done = copyRuns(); !done)
      return done;
    return protect();
  }
};

} // namespace

bool mapZero(HostAddr start, uint64_t bytes, int protection) {
  void *p =
      mmap(pointer(start), bytes, protection,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  if (p == MAP_FAILED)
    return false;
  madvise(p, bytes, MADV_NOHUGEPAGE); // EINVAL: the kernel has no huge pages
  return true;
}

Result<std::vector<LazyRange>> mapPlan(const Plan &plan, int poolFd,
                                       HostAddr base, int protection,
                                       const PageReader &reader) {
  std::vector<LazyRange> lazy;
  uint64_t bytes = plan.guestPages() * pageBytes;
  if (bytes == 0)
    return lazy;
  if (!pageAligned(base.value) || base.value + bytes < base.value)
    return Error{EINVAL, "plan: cannot be mapped at address " +
                             std::to_string(base.value)};
  Composer composer{plan, poolFd, base, protection, reader};
  if (auto fine = composer.checkPool(); !fine) {
    mapZero(base, bytes, protection);
    return fine.takeError();
  }
  if (!mapZero(base, bytes, PROT_READ | PROT_WRITE))
    return systemError("reserving " + std::to_string(bytes) + " bytes");
  if (auto done = composer.compose(lazy); !done) {
    if (!mapZero(base, bytes, protection)) // merges back: needs no new mapping
      mprotect(pointer(base), bytes, PROT_NONE); // half a guest is none
    return done.takeError();
  }
  return lazy;
}

Result<GuestMemory> mapPlan(const Plan &plan, int poolFd,
                            const PageReader &reader) {
  GuestMemory out;
  uint64_t bytes = plan.guestPages() * pageBytes;
  if (bytes == 0)
    return out;
  void *p = mmap(nullptr, bytes, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    return systemError("reserving " + std::to_string(bytes) + " bytes");
  out.memory = Mapping(p, bytes);
  auto lazy = mapPlan(plan, poolFd, {reinterpret_cast<uint64_t>(p)},
                      PROT_READ | PROT_WRITE, reader);
  if (!lazy)
    return lazy.takeError();
  out.lazy = std::move(*lazy);
  return out;
}

Result<void> discard(HostAddr start, uint64_t bytes) {
  if (!pageAligned(start.value) || !pageAligned(bytes) ||
      start.value + bytes < start.value)
    return Error{EINVAL, "discard: " + std::to_string(bytes) + " bytes at " +
                             std::to_string(start.value) +
                             " are not whole pages"};
  if (bytes == 0 || mapZero(start, bytes, PROT_READ | PROT_WRITE))
    return {};
  if (errno != ENOMEM)
    return systemError("discard");
  // No mapping left: the contract about the content is kept, the other is not.
  std::memset(pointer(start), 0, bytes);
  return {};
}

} // namespace spacer
