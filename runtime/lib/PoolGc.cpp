//===- PoolGc.cpp - gives back what no object refers to -------------------===//
//
// Pages that only removed objects had. Their digests become zero first, synced:
// from then on no import finds them. Then frames without a living page leave
// the catalog, then the blocks are punched out of both files. Each step can be
// repeated, so a gc that was killed is finished by the next one. Page numbers
// are not used again: the file keeps its length and has a hole.
//
//===----------------------------------------------------------------------===//

#include "PoolState.h"

namespace spacer {
namespace {

PageSet allPages(uint64_t count) {
  return PageSet(std::vector<PageSet::Interval>{{0, count}});
}

} // namespace

Result<void> PagePool::State::punchUnused(const PageSet &used) {
  std::vector<PageSet::Interval> inFrames, coldPages;
  for (auto &[chunk, f] : *frameTable()) {
    inFrames.push_back({f.offset, f.offset + f.bytes});
    for (uint64_t i = 0; i < framePages; ++i)
      if (f.mask >> i & 1)
        coldPages.push_back(
            {chunk * framePages + i, chunk * framePages + i + 1});
  }
  PageSet hot = used.minus(PageSet(std::move(coldPages)));
  for (auto i : allPages(count).minus(hot).intervals())
    if (auto done = punchHole(pages.get(), i.first * pageBytes,
                              (i.end - i.first) * pageBytes, file("pages"));
        !done)
      return done;
  for (auto i :
       allPages(coldEnd).minus(PageSet(std::move(inFrames))).intervals())
    if (auto done =
            punchHole(cold.get(), i.first, i.end - i.first, file("cold"));
        !done)
      return done;
  return {};
}

Result<GcSummary> PagePool::gc(const Progress &progress) {
  State &s = *state;
  if (auto can = s.needWriter(); !can)
    return can.takeError();
  if (auto fresh = s.refresh(); !fresh)
    return fresh.takeError();
  uint64_t before = summary().fileBytes;
  PageSet used;
  {
    std::lock_guard hold(s.catalogMutex);
    auto all = s.stored();
    if (!all)
      return all.takeError();
    std::vector<PageSet::Interval> parts;
    for (const State::Stored &o : *all)
      for (const PageRun &r : o.map.runs())
        parts.push_back({r.pool.value, r.pool.value + r.pages});
    used = PageSet(std::move(parts));
  }
  if (progress && !progress(0, 1))
    return Error{ECANCELED, s.folder.string() + ": gc canceled"};

  GcSummary result;
  result.keptPages = used.pages();
  PageSet unused = allPages(s.count).minus(used);
  std::vector<uint8_t> zeros(size_t(1) << 16);
  bool changed = false;
  for (auto i : unused.intervals()) {
    uint64_t living = 0;
    for (uint64_t p = i.first; p < i.end; ++p)
      living += !digest({p}).isZero();
    if (!living)
      continue;
    result.freedPages += living;
    changed = true;
    constexpr uint64_t step = (uint64_t(1) << 16) / sizeof(Digest);
    for (uint64_t p = i.first; p < i.end; p += step)
      if (auto done = writeAll(
              s.digestFile.get(),
              {zeros.data(), std::min(step, i.end - p) * sizeof(Digest)},
              p * sizeof(Digest), s.file("digests"));
          !done)
        return done.takeError();
  }
  s.index.reset();
  if (changed)
    if (auto done = syncData(s.digestFile.get(), s.file("digests")); !done)
      return done.takeError();

  auto frames = s.frameTable();
  auto table = std::make_shared<FrameTable>();
  for (auto &[chunk, f] : *frames)
    for (uint64_t i = 0; i < framePages; ++i)
      if (f.mask >> i & 1 && used.contains(chunk * framePages + i)) {
        table->emplace(chunk, f);
        break;
      }
  if (table->size() != frames->size()) {
    std::lock_guard hold(s.catalogMutex);
    Transaction t(s.catalog);
    if (auto done = t.begin(); !done)
      return done.takeError();
    auto drop = s.catalog.prepare("DELETE FROM frame WHERE chunk = ?");
    if (!drop)
      return drop.takeError();
    for (auto &[chunk, f] : *frames)
      if (!table->contains(chunk))
        if (auto done = drop->bindAll(chunk).run(); !done)
          return done.takeError();
    ++s.ownCommits;
    if (auto done = t.commit(); !done) {
      s.framesVersion = ~uint64_t(0); // see what holds now
      return done.takeError();
    }
  }
  {
    std::lock_guard hold(s.frameMutex);
    s.frames = table;
  }
  if (auto done = s.punchUnused(used); !done)
    return done.takeError();
  uint64_t after = summary().fileBytes;
  result.freedBytes = before > after ? before - after : 0;
  if (progress)
    progress(1, 1);
  return result;
}

} // namespace spacer
