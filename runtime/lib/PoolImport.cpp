//===- PoolImport.cpp - guest memory becomes pages of the pool ------------===//
//
// The bytes of a snapshot pass once, in batches that stay in the cache:
//
//   1. find zero pages, hash the others, prefetch their slots of the table
//   2. look each page up; a candidate in the page file is noted, one that is
//      new in this batch is compared at once
//   3. read the noted candidates back, neighbours with one pread, and compare;
//      a digest that is equal where bytes are not is only a collision: the next
//      candidate, else a new page
//   4. write what is new behind the last page, one pwritev a batch
//
// What is written is beyond the committed count until the end, when both files
// are synced and the catalog commits. pread and not a mapping: a page file that
// cannot be read is an error here, not a signal.
//
// Memory: the batch, the table (PageIndex.h), and 24 bytes for each run of the
// page map.
//
//===----------------------------------------------------------------------===//

#include "PoolState.h"
#include <chrono>
#include <ctime>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

namespace spacer {
namespace {

constexpr size_t batchPages = 128; ///< 512 KiB: stays in a core's cache

class Importer {
public:
  Importer(PagePool::State &pool, const PagePool &reader)
      : pool(pool), reader(reader), committed(pool.count), written(committed),
        next(committed) {}

  Result<void> run(PageSource &source, const Progress &progress);
  Result<PageMap> map() const { return PageMap::make(guestPages, runs); }
  uint64_t pagesAfter() const { return next; }
  ImportSummary summary;

private:
  static constexpr uint64_t zeroPage = ~uint64_t(0);
  static constexpr uint64_t undecided = zeroPage - 1;

  Result<void> prepareIndex(uint64_t expectedPages);
  Result<void> match(std::span<const uint8_t> bytes,
                     std::span<const Digest> known);
  void lookUp(std::span<const uint8_t> bytes, size_t i);
  Result<void> compareCandidates(std::span<const uint8_t> bytes);
  Result<void> compareSlowly(std::span<const uint8_t> bytes, size_t i);
  void addNew(size_t i, bool crowded);
  Result<void> write(std::span<const uint8_t> bytes);
  void record(GuestPage first, size_t pages);

  const Digest &digestAt(uint64_t page) const {
    return page < written ? pool.digests.load(std::memory_order_relaxed)[page]
                          : digests[fresh[page - written]];
  }
  static std::span<const uint8_t> pageOf(std::span<const uint8_t> bytes,
                                         size_t i) {
    return bytes.subspan(i * pageBytes, pageBytes);
  }

  PagePool::State &pool;
  const PagePool &reader;
  const uint64_t committed;
  uint64_t written; ///< pages in the files: committed and this import's
  uint64_t next;    ///< the number of the next new page
  uint64_t guestPages = 0;
  std::vector<PageRun> runs;

  // Of the batch, by page.
  Digest digests[batchPages];
  uint64_t decided[batchPages]; ///< pool page, zeroPage or undecided
  uint64_t candidate[batchPages];
  size_t waiting[batchPages]; ///< undecided pages, with candidates
  size_t waitingCount = 0;
  std::vector<size_t> fresh; ///< new pages of the batch: written + k
  std::vector<uint8_t> back = std::vector<uint8_t>(batchPages * pageBytes);
};

double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

/// \p expectedPages: how many the source may bring; an estimate.
Result<void> Importer::prepareIndex(uint64_t expectedPages) {
  if (pool.index)
    return {};
  auto index = std::make_unique<PageIndex>(committed + expectedPages);
  const Digest *all = pool.digests;
  auto hashOf = [&](uint64_t page) { return all[page].low(); };
  for (uint64_t p = 0; p < committed; ++p)
    if (!all[p].isZero()) // else freed
      index->insert(all[p].low(), p, hashOf);
  pool.index = std::move(index);
  return {};
}

void Importer::addNew(size_t i, bool crowded) {
  decided[i] = next++;
  fresh.push_back(i);
  ++summary.newPages;
  if (!crowded)
    pool.index->insert(digests[i].low(), decided[i],
                       [&](uint64_t page) { return digestAt(page).low(); });
}

void Importer::lookUp(std::span<const uint8_t> bytes, size_t i) {
  bool crowded;
  uint64_t found =
      pool.index->find(digests[i].low(), crowded, [&](uint64_t page) {
        if (digestAt(page) != digests[i])
          return false;
        if (page < written)
          return true; // compared below
        auto other = pageOf(bytes, fresh[page - written]);
        return std::memcmp(other.data(), pageOf(bytes, i).data(), pageBytes) ==
               0;
      });
  if (found == PageIndex::none) {
    addNew(i, crowded);
  } else if (found >= written) {
    decided[i] = found;
    ++summary.sharedPages;
  } else {
    candidate[i] = found;
    waiting[waitingCount++] = i;
  }
}

// Neighbours in the guest are mostly neighbours in the pool too.
Result<void> Importer::compareCandidates(std::span<const uint8_t> bytes) {
  for (size_t w = 0; w < waitingCount;) {
    size_t n = 1;
    uint64_t first = candidate[waiting[w]];
    while (w + n < waitingCount && candidate[waiting[w + n]] == first + n)
      ++n;
    std::span<uint8_t> there(back.data(), n * pageBytes);
    bool readable =
        bool(readAll(pool.pages.get(), there, first * pageBytes, "pages"));
    for (size_t k = 0; k < n; ++k) {
      size_t i = waiting[w + k];
      if (readable && std::memcmp(there.data() + k * pageBytes,
                                  pageOf(bytes, i).data(), pageBytes) == 0) {
        decided[i] = first + k;
        ++summary.sharedPages;
      } else if (auto done = compareSlowly(bytes, i); !done) {
        return done;
      }
    }
    w += n;
  }
  waitingCount = 0;
  return {};
}

// The first candidate is cold, damaged or a collision. A page that read()
// refuses is no reason to fail: it is only not shared.
Result<void> Importer::compareSlowly(std::span<const uint8_t> bytes, size_t i) {
  bool crowded;
  uint8_t other[pageBytes];
  uint64_t found =
      pool.index->find(digests[i].low(), crowded, [&](uint64_t page) {
        if (digestAt(page) != digests[i])
          return false;
        const uint8_t *there = other;
        if (page >= written)
          there = pageOf(bytes, fresh[page - written]).data();
        else if (page >= committed
                     ? !readAll(pool.pages.get(), other, page * pageBytes, "")
                     : !reader.read({page}, other))
          return false;
        if (std::memcmp(there, pageOf(bytes, i).data(), pageBytes) == 0)
          return true;
        ++summary.collisions;
        return false;
      });
  if (found == PageIndex::none) {
    addNew(i, crowded);
  } else {
    decided[i] = found;
    ++summary.sharedPages;
  }
  return {};
}

Result<void> Importer::match(std::span<const uint8_t> bytes,
                             std::span<const Digest> known) {
  size_t n = bytes.size() / pageBytes;
  fresh.clear();
  for (size_t i = 0; i < n; ++i) {
    auto page = pageOf(bytes, i);
    if (allZero(page)) {
      decided[i] = zeroPage;
      ++summary.zeroPages;
      continue;
    }
    decided[i] = undecided;
    digests[i] = known.empty() ? digestOf(page) : known[i];
    pool.index->prefetch(digests[i].low());
  }
  for (size_t i = 0; i < n; ++i)
    if (decided[i] == undecided)
      lookUp(bytes, i);
  return compareCandidates(bytes);
}

Result<void> Importer::write(std::span<const uint8_t> bytes) {
  if (fresh.empty())
    return {};
  if (next > PageIndex::mostPages)
    return Error{EFBIG, pool.file("pages") + ": more than " +
                            std::to_string(PageIndex::mostPages) + " pages"};
  // Pages that are neighbours in the batch too are one piece.
  iovec pieces[batchPages];
  Digest out[batchPages];
  size_t count = 0;
  for (size_t k = 0; k < fresh.size(); ++k) {
    out[k] = digests[fresh[k]];
    auto *at = const_cast<uint8_t *>(pageOf(bytes, fresh[k]).data());
    if (count && static_cast<uint8_t *>(pieces[count - 1].iov_base) +
                         pieces[count - 1].iov_len ==
                     at)
      pieces[count - 1].iov_len += pageBytes;
    else
      pieces[count++] = {at, pageBytes};
  }
  static_assert(batchPages <= IOV_MAX);
  size_t all = fresh.size() * pageBytes;
  ssize_t done = ::pwritev(pool.pages.get(), pieces, int(count),
                           off_t(written * pageBytes));
  if (done < 0 && errno != EINTR)
    return systemError(pool.file("pages"));
  if (size_t(done < 0 ? 0 : done) != all)
    for (size_t k = 0; k < fresh.size(); ++k)
      if (auto ok = writeAll(pool.pages.get(), pageOf(bytes, fresh[k]),
                             (written + k) * pageBytes, pool.file("pages"));
          !ok)
        return ok;
  auto *raw = reinterpret_cast<const uint8_t *>(out);
  if (auto ok =
          writeAll(pool.digestFile.get(), {raw, fresh.size() * sizeof(Digest)},
                   written * sizeof(Digest), pool.file("digests"));
      !ok)
    return ok;
  written += fresh.size();
  fresh.clear();
  return pool.mapDigests(written + batchPages);
}

void Importer::record(GuestPage first, size_t pages) {
  for (size_t i = 0; i < pages; ++i) {
    if (decided[i] == zeroPage)
      continue;
    GuestPage guest = first + i;
    if (!runs.empty() && runs.back().guest + runs.back().pages == guest &&
        runs.back().pool.value + runs.back().pages == decided[i])
      ++runs.back().pages;
    else
      runs.push_back({guest, {decided[i]}, 1});
  }
}

Result<void> Importer::run(PageSource &source, const Progress &progress) {
  double start = seconds();
  if (auto ready = prepareIndex(source.bytesToRead() / pageBytes); !ready)
    return ready;
  if (auto mapped = pool.mapDigests(committed + batchPages); !mapped)
    return mapped;
  summary.matchSeconds += seconds() - start;
  guestPages = summary.guestPages = source.guestPages();
  uint64_t covered = 0, nextGuest = 0, done = 0;
  while (true) {
    double t0 = seconds();
    auto chunk = source.next();
    summary.readSeconds += seconds() - t0;
    if (!chunk)
      return chunk.takeError();
    if (chunk->bytes.empty())
      break;
    uint64_t pages = chunk->bytes.size() / pageBytes;
    if (!pageAligned(chunk->bytes.size()) || chunk->first.value < nextGuest ||
        chunk->first.value > guestPages ||
        pages > guestPages - chunk->first.value ||
        (!chunk->digests.empty() && chunk->digests.size() != pages))
      return Error{
          EINVAL,
          "source: chunk of " + std::to_string(chunk->bytes.size()) +
              " bytes at guest page " + std::to_string(chunk->first.value) +
              ", expected whole pages from " + std::to_string(nextGuest) +
              " to " + std::to_string(guestPages)};
    nextGuest = chunk->first.value + pages;
    covered += pages;
    for (uint64_t at = 0; at < pages; at += batchPages) {
      size_t n = size_t(std::min<uint64_t>(batchPages, pages - at));
      auto bytes = chunk->bytes.subspan(at * pageBytes, n * pageBytes);
      auto known = chunk->digests.empty() ? chunk->digests
                                          : chunk->digests.subspan(at, n);
      double t1 = seconds();
      if (auto ok = match(bytes, known); !ok)
        return ok;
      double t2 = seconds();
      if (auto ok = write(bytes); !ok)
        return ok;
      record(chunk->first + at, n);
      summary.matchSeconds += t2 - t1;
      summary.writeSeconds += seconds() - t2;
    }
    done += chunk->bytes.size();
    if (progress && !progress(done, std::max(done, source.bytesToRead())))
      return Error{ECANCELED, pool.folder.string() + ": import canceled"};
  }
  summary.zeroPages += guestPages - covered;
  return {};
}

} // namespace

Result<ImportSummary> PagePool::add(std::string_view name, PageSource &source,
                                    const Progress &progress) {
  State &s = *state;
  if (auto can = s.needWriter(); !can)
    return can.takeError();
  if (auto good = checkName(name, "object name"); !good)
    return good.takeError();
  if (auto fresh = s.refresh(); !fresh)
    return fresh.takeError();
  std::string taken = s.folder.string() + ": there is an object '" +
                      std::string(name) + "' already";
  {
    std::lock_guard hold(s.catalogMutex);
    auto row = s.catalog.prepare("SELECT 1 FROM object WHERE name = ?");
    if (!row)
      return row.takeError();
    auto there = row->bindAll(name).next();
    if (!there)
      return there.takeError();
    if (*there)
      return Error{EEXIST, taken};
  }
  // What a killed import left behind the last page goes, and so does what this
  // one leaves if it fails.
  auto cutBack = [&] {
    (void)!::ftruncate(s.pages.get(), off_t(s.count * pageBytes));
    (void)!::ftruncate(s.digestFile.get(), off_t(s.count * sizeof(Digest)));
  };
  auto importer = std::make_unique<Importer>(s, *this);
  auto work = [&]() -> Result<void> {
    cutBack();
    if (auto done = importer->run(source, progress); !done)
      return done;
    auto map = importer->map();
    if (!map)
      return map.takeError();
    double start = seconds();
    if (importer->pagesAfter() != s.count) {
      if (auto done = syncData(s.pages.get(), s.file("pages")); !done)
        return done;
      if (auto done = syncData(s.digestFile.get(), s.file("digests")); !done)
        return done;
    }
    std::vector<uint8_t> bytes = map->encode();
    std::lock_guard hold(s.catalogMutex);
    Transaction t(s.catalog);
    if (auto done = t.begin(); !done)
      return done;
    if (auto done = s.catalog.run(
            "INSERT INTO object(name, kind, created, map) "
            "VALUES(?, ?, ?, ?)",
            name, uint64_t(source.kind()), uint64_t(::time(nullptr)),
            std::span<const uint8_t>(bytes));
        !done)
      return done;
    if (auto done =
            s.catalog.run("UPDATE pool SET pages = ?", importer->pagesAfter());
        !done)
      return done;
    if (auto done = t.commit(); !done)
      return done;
    importer->summary.writeSeconds += seconds() - start;
    return {};
  };
  if (auto done = work(); !done) {
    s.index.reset(); // it has pages that are not
    // A commit may say that it failed when it did not.
    s.framesVersion = ~uint64_t(0);
    if (uint64_t before = s.count; s.refresh() && s.count == before)
      cutBack();
    return done.takeError();
  }
  s.count.store(importer->pagesAfter(), std::memory_order_release);
  return importer->summary;
}

} // namespace spacer
