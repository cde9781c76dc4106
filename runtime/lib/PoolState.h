//===- PoolState.h - what the parts of PagePool share ---------------------===//
//
// PagePool.cpp opens and answers, PoolImport.cpp adds, PoolCold.cpp compresses
// and thaws, PoolGc.cpp frees, PoolVerify.cpp checks, PoolLeases.cpp knows who
// uses what. All work on this struct.
//
// Order of what reaches the disk, everywhere: first the data (pages, digests,
// frames) beyond what the catalog knows, synced; then the catalog's
// transaction; only then is anything punched out of a file. The catalog syncs
// its directory too (synchronous=EXTRA): were a committed transaction rolled
// back by a power loss, what was punched after it would be lost.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_POOLSTATE_H
#define SPACER_RUNTIME_POOLSTATE_H

#include "Names.h"
#include "PageIndex.h"
#include "PagePool.h"
#include "PageSet.h"
#include "Sqlite.h"
#include <atomic>
#include <mutex>
#include <unordered_map>

namespace spacer {

/// Pages of one frame of `cold`.
inline constexpr uint64_t framePages = 16;
inline constexpr uint64_t frameRawBytes = framePages * pageBytes;

/// A zstd frame: the pages of chunk * framePages + i for each bit i of mask, in
/// that order.
struct Frame {
  uint64_t offset = 0; ///< in the file `cold`
  uint32_t bytes = 0;
  uint32_t mask = 0;
};
using FrameTable = std::unordered_map<uint64_t, Frame>; ///< by chunk

struct PagePool::State {
  std::filesystem::path folder;
  std::string domain;
  bool writer = false;
  UniqueFd lock; ///< of the one writer
  /// Open for writing too if this is the writer, but for pagesRead, which
  /// pageFile() gives away.
  UniqueFd pages, pagesRead, digestFile, cold;

  /// Guards catalog.
  mutable std::mutex catalogMutex;
  mutable Database catalog;
  uint64_t ownCommits = 0;         ///< of frames, by this pool
  std::atomic<uint64_t> count = 0; ///< committed pages
  uint64_t coldEnd = 0;            ///< bytes of `cold` in use or punched

  /// The digests are mapped far beyond the end of their file, so that the
  /// mapping need not move when others commit; outgrown ones stay for readers
  /// that look at them now.
  std::atomic<const Digest *> digests = nullptr;
  uint64_t digestCapacity = 0;
  std::vector<Mapping> digestMaps;

  /// What PRAGMA data_version was when frames were loaded.
  uint64_t framesVersion = ~uint64_t(0);
  mutable std::mutex frameMutex;
  std::shared_ptr<const FrameTable> frames = std::make_shared<FrameTable>();

  std::unique_ptr<PageIndex> index; ///< the writer's, once it adds

  std::string file(const char *name) const { return (folder / name).string(); }
  /// EBADF if the pool was opened for reading only.
  Result<void> needWriter() const;

  // PagePool.cpp
  Result<void> openFiles();
  Result<void> createCatalog();
  Result<void> refresh();
  Result<void> mapDigests(uint64_t pages);
  std::shared_ptr<const FrameTable> frameTable() const {
    std::lock_guard hold(frameMutex);
    return frames;
  }
  Result<void> loadFrames();
  /// Every object with its map, by name. The caller holds catalogMutex.
  struct Stored {
    uint64_t id = 0;
    ObjectInfo info;
    PageMap map;
  };
  Result<std::vector<Stored>> stored() const;
  Result<Stored> stored(std::string_view name) const;
  Result<Frame> frameOnDisk(uint64_t chunk) const;
  /// EBADMSG below: the page is damaged; other errors say nothing about it.
  /// The page by any way there is, digest checked.
  Result<void> readOne(PoolPage page, std::span<uint8_t> out) const;
  Result<void> tryReadOne(PoolPage page, std::span<uint8_t> out) const;
  /// Another number after each commit to the catalog, whoever made it.
  uint64_t commitsSeen() const;
  Error noObject(std::string_view name) const;

  // PoolCold.cpp
  /// Which pages of a chunk were not freed.
  uint32_t living(uint64_t chunk) const;
  /// Decodes \p frame; \p out holds the masked pages in order. EBADMSG if it
  /// is damaged.
  Result<void> thawFrame(uint64_t chunk, const Frame &frame,
                         std::span<uint8_t> out) const;

  // PoolGc.cpp
  /// Frees the blocks of pages that no object refers to or that are cold, and
  /// of `cold` that no frame covers. Only what the disk's catalog says counts.
  Result<void> punchUnused(const PageSet &used);

  // PoolLeases.cpp: a lock on the folder of leases, held while deciding.
  struct LeaseLock {
    UniqueFd folder;
  };
  Result<LeaseLock> lockLeases(bool exclusive) const;
  /// Objects that living processes use; each name once a process.
  Result<std::vector<std::string>> leased(const LeaseLock &lock) const;
};


/// Reads or writes all of \p bytes at \p offset; ENODATA at the end of the
/// file. \p name is for the message.
Result<void> readAll(int fd, std::span<uint8_t> bytes, uint64_t offset,
                     const std::string &name);
Result<void> writeAll(int fd, std::span<const uint8_t> bytes, uint64_t offset,
                      const std::string &name);
/// Gives the blocks of the range back, the length stays.
Result<void> punchHole(int fd, uint64_t offset, uint64_t bytes,
                       const std::string &name);
Result<void> syncData(int fd, const std::string &name);

} // namespace spacer

#endif
