//===- PoolCold.cpp - pages that are not hot, compressed ------------------===//
//
// compress() appends zstd frames of 16 pages to `cold`, syncs it, and commits
// where they stand; only then are the pages punched out of the page file.
// thaw() goes the other way: the pages are written back and synced, then the
// frames are forgotten, then punched. Killed in between, a page is in two
// places and both are right; gc() gives the room back. `cold` only grows in
// length: a reader that knows an old frame finds it, or zeros, never another.
//
// A chunk has one frame. If some of its pages became cold later than others
// (or are kept by a leased object), the frame is made anew with all of them.
//
//===----------------------------------------------------------------------===//

#include "PoolState.h"
#include <zstd.h>

namespace spacer {
namespace {

constexpr int level = 3; ///< zstd's default: 3 or 4 times faster than a disk
/// A frame that saves less than an eighth is not worth the thawing.
constexpr uint64_t worthWhile(uint64_t rawBytes) { return rawBytes * 7 / 8; }

/// Calls \p body with start and length of each run of bits.
template <class F> Result<void> eachRun(uint32_t mask, F &&body) {
  for (uint64_t i = 0; i < framePages;) {
    uint64_t n = 0;
    while (i + n < framePages && mask >> (i + n) & 1)
      ++n;
    if (n)
      if (Result<void> done = body(i, n); !done)
        return done;
    i += n + 1;
  }
  return {};
}

uint64_t pagesIn(uint32_t mask) { return uint64_t(__builtin_popcount(mask)); }

struct ZstdReader {
  ZSTD_DCtx *context = ZSTD_createDCtx();
  ~ZstdReader() { ZSTD_freeDCtx(context); }
};

} // namespace

uint32_t PagePool::State::living(uint64_t chunk) const {
  const Digest *all = digests.load(std::memory_order_acquire);
  uint32_t mask = 0;
  for (uint64_t i = 0, p = chunk * framePages; i < framePages; ++i)
    if (p + i < count && !all[p + i].isZero())
      mask |= uint32_t(1) << i;
  return mask;
}

Result<void> PagePool::State::thawFrame(uint64_t chunk, const Frame &frame,
                                        std::span<uint8_t> out) const {
  thread_local ZstdReader zstd;
  std::string name = file("cold") + ": frame of pages from " +
                     std::to_string(chunk * framePages);
  std::vector<uint8_t> packed(frame.bytes);
  if (auto done = readAll(cold.get(), packed, frame.offset, name); !done)
    return done.error().sysErrno == ENODATA
               ? Error{EBADMSG, done.error().context}
               : done.takeError();
  if (!zstd.context)
    return Error{ENOMEM, name + ": zstd: no memory"};
  size_t wanted = pagesIn(frame.mask) * pageBytes;
  assert(out.size() >= wanted);
  size_t n = ZSTD_decompressDCtx(zstd.context, out.data(), wanted,
                                 packed.data(), packed.size());
  if (ZSTD_isError(n))
    return Error{EBADMSG, name + ": " + ZSTD_getErrorName(n)};
  if (n != wanted)
    return Error{EBADMSG, name + ": " + std::to_string(n) +
                              " bytes, expected " + std::to_string(wanted)};
  return {};
}

namespace {

class Compressor {
public:
  explicit Compressor(PagePool::State &pool) : pool(pool) {}
  ~Compressor() { ZSTD_freeCCtx(zstd); }

  struct Made {
    uint64_t chunk;
    Frame frame;
    uint32_t added; ///< of its mask, pages that were hot
  };
  std::vector<Made> made;

  /// Appends a frame for the pages of \p add and those that \p old has.
  Result<void> pack(const PagePool &reader, uint64_t chunk, uint32_t add,
                    uint32_t old);
  uint64_t end = 0;

private:
  PagePool::State &pool;
  ZSTD_CCtx *zstd = ZSTD_createCCtx();
  std::vector<uint8_t> raw = std::vector<uint8_t>(frameRawBytes);
  std::vector<uint8_t> packed =
      std::vector<uint8_t>(ZSTD_compressBound(frameRawBytes));
};

Result<void> Compressor::pack(const PagePool &reader, uint64_t chunk,
                              uint32_t add, uint32_t old) {
  uint32_t mask = add | old;
  size_t bytes = 0;
  auto done = eachRun(mask, [&](uint64_t i, uint64_t n) {
    std::span<uint8_t> run(raw.data() + bytes, n * pageBytes);
    bytes += run.size();
    return reader.read({chunk * framePages + i}, run);
  });
  if (!done)
    return done;
  size_t n = zstd ? ZSTD_compressCCtx(zstd, packed.data(), packed.size(),
                                      raw.data(), bytes, level)
                  : 0;
  if (n == 0 || ZSTD_isError(n))
    return Error{ENOMEM, pool.file("cold") + ": zstd: " +
                             (n ? ZSTD_getErrorName(n) : "no memory")};
  if (n > worthWhile(bytes))
    return {};
  if (auto done =
          writeAll(pool.cold.get(), {packed.data(), n}, end, pool.file("cold"));
      !done)
    return done;
  made.push_back({chunk, {end, uint32_t(n), mask}, add});
  end += n;
  return {};
}

/// The masks of the pages of \p set, chunk by chunk.
template <class F> Result<void> eachChunk(const PageSet &set, F &&body) {
  uint64_t chunk = ~uint64_t(0);
  uint32_t mask = 0;
  auto flush = [&]() -> Result<void> {
    return mask ? body(chunk, mask) : Result<void>();
  };
  for (auto i : set.intervals())
    for (uint64_t p = i.first; p < i.end;) {
      uint64_t c = p / framePages, end = std::min(i.end, (c + 1) * framePages);
      if (c != chunk) {
        if (auto done = flush(); !done)
          return done;
        chunk = c;
        mask = 0;
      }
      for (; p < end; ++p)
        mask |= uint32_t(1) << p % framePages;
    }
  return flush();
}

/// Pages of the objects that living processes use.
Result<PageSet> leasedPages(const PagePool::State &pool,
                            const PagePool::State::LeaseLock &lock) {
  auto names = pool.leased(lock);
  if (!names)
    return names.takeError();
  std::vector<PageSet::Interval> all;
  std::lock_guard hold(pool.catalogMutex);
  for (const std::string &name : *names) {
    auto s = pool.stored(name);
    if (!s && s.error().sysErrno == ENOENT)
      continue;
    if (!s)
      return s.takeError();
    for (auto i : PageSet::of(s->map).intervals())
      all.push_back(i);
  }
  return PageSet(std::move(all));
}

} // namespace

Result<uint64_t> PagePool::compress(std::string_view name,
                                    const Progress &progress) {
  State &s = *state;
  if (auto can = s.needWriter(); !can)
    return can.takeError();
  if (auto fresh = s.refresh(); !fresh)
    return fresh.takeError();
  auto map = this->map(name);
  if (!map)
    return map.takeError();
  // A file system without holes would only lose by it.
  if (auto can = punchHole(s.pages.get(), s.count * pageBytes, pageBytes,
                           s.file("pages"));
      !can)
    return can.takeError();
  PageSet used;
  {
    auto lock = s.lockLeases(false);
    if (!lock)
      return lock.takeError();
    auto pages = leasedPages(s, *lock);
    if (!pages)
      return pages.takeError();
    used = std::move(*pages);
  }
  PageSet wanted = PageSet::of(*map).minus(used);
  auto frames = s.frameTable();
  Compressor work(s);
  work.end = s.coldEnd;
  auto cutBack = [&](Error e) {
    (void)!::ftruncate(s.cold.get(), off_t(s.coldEnd));
    return e;
  };
  uint64_t done = 0, all = wanted.pages() * pageBytes;
  auto packed =
      eachChunk(wanted, [&](uint64_t chunk, uint32_t mask) -> Result<void> {
        auto f = frames->find(chunk);
        uint32_t old = f == frames->end() ? 0 : f->second.mask;
        if (uint32_t add = mask & ~old) {
          old &= s.living(chunk);
          if (auto ok = work.pack(*this, chunk, add, old); !ok)
            return ok;
        }
        done += pagesIn(mask) * pageBytes;
        if (progress && !progress(done, all))
          return Error{ECANCELED, s.folder.string() + ": compress canceled"};
        return {};
      });
  if (!packed)
    return cutBack(packed.takeError());
  if (work.made.empty())
    return uint64_t(0);
  if (auto ok = syncData(s.cold.get(), s.file("cold")); !ok)
    return cutBack(ok.takeError());

  // Who took a lease meanwhile keeps its pages hot; nobody can until the
  // catalog has it.
  auto lock = s.lockLeases(true);
  if (!lock)
    return cutBack(lock.takeError());
  auto now = leasedPages(s, *lock);
  if (!now)
    return cutBack(now.takeError());
  auto table = std::make_shared<FrameTable>(*frames);
  std::vector<Compressor::Made> kept;
  {
    std::lock_guard hold(s.catalogMutex);
    Transaction t(s.catalog);
    if (auto ok = t.begin(); !ok)
      return cutBack(ok.takeError());
    auto put =
        s.catalog.prepare("INSERT OR REPLACE INTO frame VALUES(?, ?, ?, ?)");
    if (!put)
      return cutBack(put.takeError());
    for (const Compressor::Made &m : work.made) {
      bool busy = false;
      for (uint64_t i = 0; i < framePages; ++i)
        busy |= m.added >> i & 1 && now->contains(m.chunk * framePages + i);
      if (busy)
        continue;
      if (auto ok =
              put->bindAll(m.chunk, m.frame.offset, uint64_t(m.frame.bytes),
                           uint64_t(m.frame.mask))
                  .run();
          !ok)
        return cutBack(ok.takeError());
      (*table)[m.chunk] = m.frame;
      kept.push_back(m);
    }
    if (auto ok = s.catalog.run("UPDATE pool SET coldEnd = ?", work.end); !ok)
      return cutBack(ok.takeError());
    ++s.ownCommits;
    if (auto ok = t.commit(); !ok) {
      s.framesVersion = ~uint64_t(0); // see what holds now
      return ok.takeError();
    }
  }
  s.coldEnd = work.end;
  {
    std::lock_guard hold(s.frameMutex);
    s.frames = table;
  }
  // No failure below this line loses anything: gc() punches again.
  uint64_t pages = 0;
  for (const Compressor::Made &m : kept) {
    pages += pagesIn(m.added);
    (void)eachRun(m.added, [&](uint64_t i, uint64_t n) {
      return punchHole(s.pages.get(), (m.chunk * framePages + i) * pageBytes,
                       n * pageBytes, "");
    });
    if (auto f = frames->find(m.chunk); f != frames->end())
      (void)punchHole(s.cold.get(), f->second.offset, f->second.bytes, "");
  }
  return pages;
}

Result<uint64_t> PagePool::thaw(std::string_view name,
                                const Progress &progress) {
  State &s = *state;
  if (auto can = s.needWriter(); !can)
    return can.takeError();
  if (auto fresh = s.refresh(); !fresh)
    return fresh.takeError();
  auto map = this->map(name);
  if (!map)
    return map.takeError();
  auto frames = s.frameTable();
  std::vector<std::pair<uint64_t, Frame>> thawed;
  uint64_t pages = 0, done = 0;
  PageSet wanted = PageSet::of(*map);
  uint64_t all = wanted.pages() * pageBytes;
  std::vector<uint8_t> raw(frameRawBytes);
  auto restore = [&](uint64_t chunk, const Frame &f) -> Result<void> {
    uint32_t living = f.mask & s.living(chunk);
    pages += pagesIn(living);
    return eachRun(living, [&](uint64_t i, uint64_t n) -> Result<void> {
      uint64_t p = chunk * framePages + i;
      std::span<uint8_t> run(raw.data(), n * pageBytes);
      if (auto ok = read({p}, run); !ok)
        return ok;
      return writeAll(s.pages.get(), run, p * pageBytes, s.file("pages"));
    });
  };
  auto walked =
      eachChunk(wanted, [&](uint64_t chunk, uint32_t mask) -> Result<void> {
        auto f = frames->find(chunk);
        if (f != frames->end() && f->second.mask & mask) {
          thawed.emplace_back(chunk, f->second);
          if (auto ok = restore(chunk, f->second); !ok)
            return ok;
        }
        done += pagesIn(mask) * pageBytes;
        if (progress && !progress(done, all))
          return Error{ECANCELED, s.folder.string() + ": thaw canceled"};
        return {};
      });
  // The frames still count: what was written goes again.
  auto undo = [&](Error e) {
    for (auto &[chunk, f] : thawed)
      (void)eachRun(f.mask, [&, chunk = chunk](uint64_t i, uint64_t n) {
        return punchHole(s.pages.get(), (chunk * framePages + i) * pageBytes,
                         n * pageBytes, "");
      });
    return e;
  };
  if (!walked)
    return undo(walked.takeError());
  if (thawed.empty())
    return uint64_t(0);
  if (auto ok = syncData(s.pages.get(), s.file("pages")); !ok)
    return undo(ok.takeError());
  auto table = std::make_shared<FrameTable>(*frames);
  {
    std::lock_guard hold(s.catalogMutex);
    Transaction t(s.catalog);
    if (auto ok = t.begin(); !ok)
      return undo(ok.takeError());
    auto drop = s.catalog.prepare("DELETE FROM frame WHERE chunk = ?");
    if (!drop)
      return undo(drop.takeError());
    for (auto &[chunk, f] : thawed) {
      if (auto ok = drop->bindAll(chunk).run(); !ok)
        return undo(ok.takeError());
      table->erase(chunk);
    }
    ++s.ownCommits;
    if (auto ok = t.commit(); !ok) {
      s.framesVersion = ~uint64_t(0); // see what holds now
      return ok.takeError();
    }
  }
  {
    std::lock_guard hold(s.frameMutex);
    s.frames = table;
  }
  for (auto &[chunk, f] : thawed)
    (void)punchHole(s.cold.get(), f.offset, f.bytes, "");
  return pages;
}

} // namespace spacer
