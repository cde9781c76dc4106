//===- Preload.cpp - turns QEMU's one mmap of guest memory into a plan ----===//
//
// Problem: QEMU maps guest memory with one mmap() of one file; a clone's memory
// comes from many places of the pool, and from nowhere.
//
// Idea: give QEMU a placeholder file to map and look at its mmap() calls. The
// one that maps the placeholder (by device and inode, whatever path or
// descriptor QEMU came by) is let through, so that the range is QEMU's, and
// then the plan is composed over it. Nobody has seen the range before mmap()
// returns. QEMU believes in a shared mapping of a file (share=on), which is why
// x-ignore-shared leaves it out of the device state; the placeholder itself
// stays empty.
//
// Steps: 1. a constructor takes the descriptors from the environment and takes
// itself out of it, so that QEMU's children are left alone; 2. mmap() and
// mmap64() as above, once; 3. madvise() on guest memory: huge pages are not for
// it (one touched page would take 2 MiB), and what QEMU discards reads as zero
// from then on, where the kernel would show the snapshot's page again; 4. the
// report tells spacer that all this has happened.
//
// If anything is not as expected: one line, and the process ends. A guest with
// other memory than its own must never run.
//
// Cost: one comparison for anonymous mappings, one fstat() for others.
//
//===----------------------------------------------------------------------===//

#include "Client.h"
#include "MemoryMap.h"
#include "PreloadEnvironment.h"
#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <sys/syscall.h>

using namespace spacer;

namespace {

enum class Phase { Idle, Waiting, Mapping, Mapped };

// Plain data: the dynamic loader calls mmap() before any constructor runs.
std::atomic<Phase> phase{Phase::Idle};
dev_t placeholderDevice;
ino_t placeholderInode;
PreloadEnvironment *environment;
uint64_t guestStart, guestBytes;
std::vector<LazyRange> *lazyRanges; ///< by rising address; null: none

[[noreturn]] [[gnu::format(printf, 1, 2)]] void die(const char *format, ...) {
  char line[600] = "spacer-preload: ";
  size_t at = strlen(line);
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line + at, sizeof line - at - 1, format, list);
  va_end(list);
  at = std::min(at + size_t(std::max(n, 0)), sizeof line - 2);
  line[at++] = '\n';
  (void)!write(STDERR_FILENO, line, at);
  _exit(preloadFailed);
}

void *plainMmap(void *at, size_t bytes, int protection, int flags, int fd,
                off_t offset) {
  return reinterpret_cast<void *>(
      syscall(SYS_mmap, at, bytes, protection, flags, fd, offset));
}

/// Ours is the first word; others that the user wants loaded stay.
void leaveEnvironment() {
  unsetenv(preloadVariable);
  const char *libraries = getenv("LD_PRELOAD");
  const char *rest = libraries ? strpbrk(libraries, ": ") : nullptr;
  if (rest && rest[1])
    setenv("LD_PRELOAD", std::string(rest + 1).c_str(), 1);
  else
    unsetenv("LD_PRELOAD");
}

[[gnu::constructor]] void start() {
  const char *text = getenv(preloadVariable);
  if (!text)
    return;
  environment = new PreloadEnvironment;
  if (!environment->decode(text))
    die("%s: not understood: %s", preloadVariable, text);
  leaveEnvironment();
  struct stat st;
  if (fstat(environment->placeholder, &st))
    die("descriptor %d of the placeholder: %s", environment->placeholder,
        strerror(errno));
  placeholderDevice = st.st_dev;
  placeholderInode = st.st_ino;
  for (int fd : {environment->placeholder, environment->plan, environment->pool,
                 environment->report})
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  phase = Phase::Waiting;
}

bool isPlaceholder(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && st.st_dev == placeholderDevice &&
         st.st_ino == placeholderInode;
}

Plan readPlan() {
  struct stat st;
  if (fstat(environment->plan, &st))
    die("plan: %s", strerror(errno));
  std::vector<uint8_t> bytes(size_t(st.st_size));
  for (size_t done = 0; done < bytes.size();) {
    ssize_t n = pread(environment->plan, bytes.data() + done,
                      bytes.size() - done, off_t(done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      die("plan: ends after %zu of %zu bytes", done, bytes.size());
    done += size_t(n);
  }
  auto plan = Plan::decode(bytes);
  if (!plan)
    die("%s", plan.error().context.c_str());
  return std::move(*plan);
}

/// The descriptor stays open as long as the process: see Client.h.
void serveLazily(const std::vector<LazyRange> &ranges) {
  if (ranges.empty())
    return;
  if (environment->daemon.empty())
    die("%zu lazy ranges, and no daemon that serves them", ranges.size());
  auto client = Client::connect(environment->daemon);
  if (!client)
    die("%s", client.error().context.c_str());
  // The daemon serves what was opened on the same connection; the plan is the
  // one that spacer asked for.
  if (auto opened = client->open(environment->object, 1, LazyPolicy::All);
      !opened)
    die("%s", opened.error().context.c_str());
  auto uffd = watchRanges(ranges);
  if (!uffd)
    die("%s", uffd.error().context.c_str());
  auto session =
      client->attach(environment->object, environment->vm, ranges, uffd->fd());
  if (!session)
    die("%s", session.error().context.c_str());
  uffd->release();
  lazyRanges = new std::vector<LazyRange>(ranges);
}

void report() {
  char line[64];
  int n = snprintf(line, sizeof line, "0x%llx %llu\n",
                   static_cast<unsigned long long>(guestStart),
                   static_cast<unsigned long long>(guestBytes));
  if (pwrite(environment->report, line, size_t(n), 0) != n)
    die("report: %s", strerror(errno));
}

void compose(void *start, size_t bytes, int protection, off_t offset) {
  Plan plan = readPlan();
  uint64_t planned = plan.guestPages() * pageBytes;
  if (offset != 0 || bytes != planned)
    die("guest memory of %zu bytes from offset %lld is mapped, the plan has "
        "%llu bytes",
        bytes, static_cast<long long>(offset),
        static_cast<unsigned long long>(planned));
  guestStart = reinterpret_cast<uint64_t>(start);
  guestBytes = bytes;
  auto lazy = mapPlan(plan, environment->pool, {guestStart}, protection);
  if (!lazy)
    die("%s", lazy.error().context.c_str());
  madvise(start, bytes, MADV_NOHUGEPAGE); // EINVAL: there are none
  serveLazily(*lazy);
  report();
  for (int *fd : {&environment->plan, &environment->report})
    close(*fd);
}

void *interposedMmap(void *at, size_t bytes, int protection, int flags, int fd,
                     off_t offset) {
  void *start = plainMmap(at, bytes, protection, flags, fd, offset);
  Phase now = phase.load(std::memory_order_acquire);
  if (start == MAP_FAILED || fd < 0 || (flags & MAP_ANONYMOUS) ||
      now == Phase::Idle || now == Phase::Mapping || !isPlaceholder(fd))
    return start;
  const int saved = errno;
  Phase waiting = Phase::Waiting;
  if (!phase.compare_exchange_strong(waiting, Phase::Mapping))
    die("guest memory is mapped a second time");
  compose(start, bytes, protection, offset);
  phase.store(Phase::Mapped, std::memory_order_release);
  errno = saved;
  return start;
}

} // namespace

namespace {

void discardPlain(HostAddr start, HostAddr end) {
  if (start < end)
    if (auto done = discard(start, end - start); !done)
      die("%s", done.error().context.c_str());
}

/// Where the daemon watches, the kernel tells it, and it gives zeros; elsewhere
/// zero pages take the place of the mapping.
void discardGuest(HostAddr start, HostAddr end) {
  for (size_t i = 0; lazyRanges && i < lazyRanges->size(); ++i) {
    const LazyRange &lazy = (*lazyRanges)[i];
    HostAddr from = std::max(start, lazy.start);
    HostAddr to = std::min(end, lazy.start + lazy.bytes);
    if (from >= to)
      continue;
    discardPlain(start, from);
    if (syscall(SYS_madvise, from.value, to - from, MADV_DONTNEED))
      die("discarding %llu bytes: %s",
          static_cast<unsigned long long>(to - from), strerror(errno));
    start = to;
  }
  discardPlain(start, end);
}

} // namespace

#define SPACER_EXPORT extern "C" [[gnu::visibility("default")]]

SPACER_EXPORT void *mmap(void *at, size_t bytes, int protection, int flags,
                         int fd, off_t offset) noexcept {
  return interposedMmap(at, bytes, protection, flags, fd, offset);
}

SPACER_EXPORT void *mmap64(void *at, size_t bytes, int protection, int flags,
                           int fd, off64_t offset) noexcept {
  return interposedMmap(at, bytes, protection, flags, fd, offset);
}

SPACER_EXPORT int madvise(void *at, size_t bytes, int advice) noexcept {
  uint64_t start = reinterpret_cast<uint64_t>(at);
  if (phase.load(std::memory_order_acquire) == Phase::Mapped &&
      start < guestStart + guestBytes && guestStart < start + bytes) {
    if (advice == MADV_HUGEPAGE || advice == MADV_MERGEABLE)
      return 0;
    bool inside =
        start >= guestStart && start + bytes <= guestStart + guestBytes;
    if ((advice == MADV_DONTNEED || advice == MADV_REMOVE ||
         advice == MADV_FREE) &&
        inside) {
      discardGuest({start}, {start + bytes});
      return 0;
    }
  }
  return int(syscall(SYS_madvise, at, bytes, advice));
}
