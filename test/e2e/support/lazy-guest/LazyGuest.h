//===- LazyGuest.h - a process whose memory comes by faults ---------------===//
//
// For tests: forks a child that maps a guest's memory as a VMM would, registers
// it with a userfaultfd of its own, hands that over, and then reads, writes and
// gives back pages as it is told over a socket. It checks every byte itself,
// for it knows the digest that each page must have.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_TEST_LAZYGUEST_H
#define SPACER_TEST_LAZYGUEST_H

#include "PageServer.h"
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>

namespace spacer::test {

enum class Style {
  Mapped, ///< runs are private mappings of the pool, gaps are anonymous
  Copied, ///< all anonymous: what an unmodified VMM has
  Huge,   ///< the same of 2 MiB pages
};

class LazyGuest {
public:
  struct Options {
    Style style = Style::Mapped;
    uint64_t features = UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM |
                        UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP;
    bool shadow = false; ///< one more page is registered, but in no region
    /// What Custom does in the child: memory, first page, pages, value.
    std::function<int64_t(uint8_t *, uint64_t, uint64_t, uint64_t)> custom;
  };
  /// \p digests: of each guest page. Forks: with the thread sanitizer, before
  /// the test has other threads, if the guest is to have some. A failure of the
  /// child to start is `why`.
  static std::unique_ptr<LazyGuest> start(const PageMap &map, int poolFd,
                                          std::vector<Digest> digests,
                                          Options options, std::string &why);
  ~LazyGuest();

  const pid_t pid;
  const std::vector<Region> regions;
  HostAddr at(uint64_t page) const;
  int uffd() const { return descriptor.get(); }
  /// For a session: duplicates, so that the test keeps its own.
  SessionSpec spec(std::shared_ptr<HostPool> pool,
                   std::shared_ptr<const PageMap> map) const;

  enum class Op : uint64_t {
    Check,   ///< pages against their digests: number of wrong ones
    Zero,    ///< pages against zero: number of others
    Read,    ///< the first word of one page
    Write,   ///< value to the first word of each page
    Discard, ///< madvise(MADV_DONTNEED)
    Unmap,   ///< munmap
    Move,    ///< mremap to another place
    Storm,   ///< storm(pages in all, threads): number of wrong pages
    Custom,  ///< Options::custom
    Latency, ///< page by page, reading (value 0) or writing: see latency()
  };
  /// Sends; answer() waits. -1: the child is gone. -2: SIGBUS.
  void ask(Op op, uint64_t page = 0, uint64_t pages = 1, uint64_t value = 0);
  int64_t answer();
  /// True if an answer comes within \p ms.
  bool answered(int ms);
  int64_t call(Op op, uint64_t page = 0, uint64_t pages = 1,
               uint64_t value = 0) {
    ask(op, page, pages, value);
    return answer();
  }
  /// Nanoseconds of each touch of the last Latency; p50 and p99 are made by the
  /// caller.
  const std::vector<uint32_t> &latency() const;
  void kill();

  /// Pages of the guest's memory that are its own (PAGEMAP_SCAN: present, not
  /// of a file, not the zero page); -errno.
  int64_t ownPages() const;

private:
  struct Shared;
  LazyGuest(pid_t pid, std::vector<Region> regions, HostAddr base);

  const HostAddr base;
  uint64_t guestPages = 0;
  UniqueFd socket, descriptor;
  Mapping shared;
  mutable std::vector<uint32_t> samples;
};

/// The child's work for Storm, for any memory: \p threads threads touch, check,
/// write and give back pages of their parts until \p touches pages were looked
/// at. Returns how many were wrong: content or zero as it must be, or what was
/// written.
uint64_t storm(uint8_t *memory, const std::vector<Digest> &digests,
               uint64_t touches, unsigned threads, uint64_t seed);

} // namespace spacer::test

#endif
