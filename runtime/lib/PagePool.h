//===- PagePool.h - a sharing domain's pages on disk ----------------------===//
//
// A pool directory has one folder a domain; pages are shared inside a domain
// only, for sharing is observable by timing. In the folder:
//
//   pages       the page file: page n stands at n * 4096; freed and cold pages
//               are holes
//   digests     16 bytes a page, XXH3-128
//   cold        zstd frames of 16 consecutive pages that are not hot
//   catalog.db  SQLite: how many pages are committed, objects with their page
//               maps and attributes, frames
//   leases/     one file for each process that uses an object
//
// Crash safety: an import writes pages and digests beyond the committed count,
// syncs both files, then commits count and object in one SQLite transaction.
// What stands beyond the count does not exist and is overwritten by the next
// import. Page numbers are never used twice, so a mapping, a plan or a daemon's
// copy of a page can be out of use but never wrong.
//
// Insertion compares bytes: the digest only says where to look.
//
// One writer at a time (an flock on catalog.lock); readers see what was
// committed when they opened or last called refresh(). Thread-safe: every const
// member and read(); the rest belong to one thread.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PAGEPOOL_H
#define SPACER_RUNTIME_PAGEPOOL_H

#include "Fd.h"
#include "PageMap.h"
#include "PageSource.h"
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spacer {

struct ObjectInfo {
  std::string name;
  ObjectKind kind = ObjectKind::File;
  uint64_t guestPages = 0;
  uint64_t poolPages = 0;     ///< that its map refers to, repeats counted
  uint64_t distinctPages = 0; ///< of these, different ones
  uint64_t ownPages = 0;      ///< of these, that no other object refers to
  int64_t created = 0;        ///< seconds since 1970
  uint64_t leases = 0;        ///< living processes that use it
};

struct ImportSummary {
  uint64_t guestPages = 0, zeroPages = 0;
  uint64_t sharedPages = 0; ///< equal to a page that was there, or seen before
  uint64_t newPages = 0;
  uint64_t collisions = 0; ///< digest equal, bytes not
  /// Where the time went: reading the source; hashing, looking up and comparing
  /// with pages that are there; writing and syncing.
  double readSeconds = 0, matchSeconds = 0, writeSeconds = 0;
};

struct PoolSummary {
  uint64_t objects = 0, pages = 0, coldPages = 0;
  uint64_t fileBytes = 0; ///< blocks that pages, digests and cold take on disk
};

struct VerifySummary {
  uint64_t pages = 0;
  std::vector<std::string> problems; ///< one line each: file, page, object
};

struct GcSummary {
  uint64_t freedPages = 0, freedBytes = 0, keptPages = 0;
};

/// Called now and then with bytes done and bytes in all; false stops the work,
/// which then fails with ECANCELED and leaves the pool as it was.
using Progress = std::function<bool(uint64_t done, uint64_t all)>;

class PagePool {
public:
  enum class Access { Read, Write };
  /// Opens (with Write: creates) \p domain in \p directory. ENOENT if there is
  /// none, EBADMSG if it is damaged, EBUSY if another writer is at work and
  /// does not end within ten seconds, EROFS/EACCES as the system says. Domain
  /// and object names are 1 to 200 of [A-Za-z0-9._@+-], not starting with a
  /// dot (EINVAL).
  static Result<std::unique_ptr<PagePool>>
  open(const std::filesystem::path &directory, std::string_view domain,
       Access access);
  ~PagePool();

  const std::string &domain() const;
  /// Sees what others have committed since.
  Result<void> refresh();
  /// Committed pages, freed ones included: every PoolPage is below.
  uint64_t pageCount() const;
  /// The page file, open for reading; lives as long as the pool.
  int pageFile() const;
  const Digest &digest(PoolPage page) const;
  bool isCold(PoolPage page) const;

  Result<std::vector<ObjectInfo>> objects() const;
  PoolSummary summary() const;
  /// ENOENT if there is no such object.
  Result<PageMap> map(std::string_view object) const;
  /// A JSON text that the owner of the object keeps there; "" if none.
  Result<std::string> attribute(std::string_view object,
                                std::string_view key) const;

  /// Reads \p out.size() / 4096 pages from \p first on, thaws cold ones and
  /// checks each digest. EBADMSG names the page that fails: its bytes, and only
  /// theirs, are then zeroed, all others are right.
  Result<void> read(PoolPage first, std::span<uint8_t> out) const;

  // Only with Access::Write.

  /// Adds \p source as \p name: EEXIST if the name is taken.
  Result<ImportSummary> add(std::string_view name, PageSource &source,
                            const Progress &progress = {});
  Result<void> setAttribute(std::string_view object, std::string_view key,
                            std::string_view json);
  /// EBUSY while a living process holds a lease. Pages stay until gc().
  Result<void> remove(std::string_view name);
  /// Frees the pages that no object refers to.
  Result<GcSummary> gc(const Progress &progress = {});
  /// Makes the pages of \p name that no leased object uses cold.
  Result<uint64_t> compress(std::string_view name,
                            const Progress &progress = {});
  /// The opposite: whole chunks become hot again.
  Result<uint64_t> thaw(std::string_view name, const Progress &progress = {});

  /// Reads everything: digests, page maps, catalog. Works on a Read pool.
  Result<VerifySummary> verify(const Progress &progress = {}) const;

  /// \p pid (with its start time, so that a reused number does not count) uses
  /// \p object: it can be neither removed nor compressed. Ends with the
  /// process; taken twice, it needs two releases. Allowed on a Read pool that
  /// the user may write to. ENOENT if the object is gone, ESRCH if the process
  /// is. Refreshes: lease first, then ask for map and isCold(). Without a lease
  /// pages can be punched out of the page file under a mapping of it; read()
  /// then gives EBADMSG, a mapping zeros.
  Result<void> lease(std::string_view object, int pid);
  Result<void> release(std::string_view object, int pid);

  struct State; ///< in PoolState.h, for the pool's own parts

private:
  explicit PagePool(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace spacer

#endif
