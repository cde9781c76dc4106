//===- HostPool.h - a domain's pages in memory, once on the host ----------===//
//
// A memfd as large as the domain's page numbers will ever need, sparse, sealed
// against shrinking, growing and future writing; page n of the pool stands at
// n * 4096 of it. Only the mapping that its owner made before sealing can
// write. Clients get a read-only descriptor: they can map it privately and
// change their own copy, never the pool.
//
// A page is brought in once (fill), verified against its digest. Which pages
// are whole is one bit a page in a second memfd, set after the bytes: a process
// that is killed while it copies leaves a page that does not count, and its
// successor fills it again before anyone sees it.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_HOSTPOOL_H
#define SPACER_RUNTIME_HOSTPOOL_H

#include "Fd.h"
#include "PagePool.h"
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

namespace spacer {

/// Pool pages in memory, as the fault path sees them; a test puts a fake in the
/// place of a HostPool.
class PoolPages {
public:
  enum class Outcome {
    Present, ///< all pages are whole
    Corrupt, ///< at least one page does not have its digest; it stays absent
    Failed,  ///< cannot be read now
  };
  virtual ~PoolPages() = default;
  /// Makes \p pages pages from \p first on present. Any thread; two threads
  /// that want the same page do the work once. A cold page brings the pages of
  /// its frame along.
  virtual Outcome fill(PoolPage first, uint64_t pages) = 0;
  /// Any thread. True: the page is whole and stays so.
  virtual bool present(PoolPage page) const = 0;
  /// The page's bytes, if present(): for UFFDIO_COPY. Stays mapped; pages that
  /// follow each other in the pool do so here.
  virtual const uint8_t *at(PoolPage page) const = 0;
};

class HostPool final : public PoolPages {
public:
  /// Room for \p capacityPages; costs no memory until filled. Sealed at once
  /// unless \p sealed is false: then the caller seals it with seal() after a
  /// keeper process has made a writable mapping of its own.
  static Result<std::unique_ptr<HostPool>>
  create(std::shared_ptr<PagePool> pool, uint64_t capacityPages,
         bool sealed = true);
  Result<void> seal();
  /// Takes over from a process that died. After sealing nobody can map the
  /// memfd writable anew, so \p memory is a writable mapping that was inherited
  /// by fork() from a process that had one. EINVAL if the parts do not fit,
  /// ESTALE if \p pool is not the one that the pages came from.
  static Result<std::unique_ptr<HostPool>> adopt(std::shared_ptr<PagePool> pool,
                                                 UniqueFd pages, UniqueFd bits,
                                                 Mapping memory);

  /// Descriptors for a successor (a keeper process): pages, bits.
  int pagesFd() const { return pages.get(); }
  int bitsFd() const { return bits.get(); }
  /// Opened O_RDONLY anew, for a client.
  Result<UniqueFd> clientFd() const;

  const PagePool &pool() const { return *source; }
  PagePool &pool() { return *source; }
  uint64_t capacityPages() const { return capacity; }

  Outcome fill(PoolPage first, uint64_t pages) override;
  bool present(PoolPage page) const override;
  /// Pages present, for the statistics.
  uint64_t presentPages() const;
  const uint8_t *at(PoolPage page) const override {
    return memory.data() + offsetOf(page).value;
  }
  // A sealed memfd refuses to give single pages back (fallocate: EPERM); the
  // memory returns when the whole HostPool goes.

private:
  HostPool() = default;
  std::atomic_ref<uint64_t> word(uint64_t index) const;
  Outcome fillWord(uint64_t index, uint64_t wanted);
  Outcome readRun(uint64_t first, uint64_t count);

  std::shared_ptr<PagePool> source;
  UniqueFd pages, bits;
  Mapping memory, bitMemory;
  uint64_t capacity = 0;
  std::array<std::mutex, 64> locks; ///< of 64 pages each, in turn
};

} // namespace spacer

#endif
