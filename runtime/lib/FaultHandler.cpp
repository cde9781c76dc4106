//===- FaultHandler.cpp - what answers a fault ----------------------------===//

#include "FaultHandler.h"
#include <algorithm>
#include <cstring>
#include <sys/mman.h>

namespace spacer {
namespace {

constexpr uint64_t hugePages = hugePageBytes / pageBytes;

GuestPage guestOf(const SessionState::Place &p) {
  return p.region->guest + p.page;
}

/// Room for one 2 MiB page on its way, for each thread that needs it.
uint8_t *scratch() {
  static thread_local Mapping room = [] {
    void *at = mmap(nullptr, hugePageBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? Mapping() : Mapping(at, hugePageBytes);
  }();
  return room.data();
}

} // namespace

FaultHandler::FaultHandler(UffdCalls &calls, SessionState &state,
                           const PageMap &map, PoolPages &pool,
                           FaultCounters &counters, uint64_t batchPages)
    : calls(calls), state(state), map(map), pool(pool), counters(counters),
      batchPages(std::clamp<uint64_t>(batchPages, 1, hugePages)) {}

Served FaultHandler::fault(HostAddr at, bool write) {
  lastDone = {};
  auto place = state.find(at);
  if (!place)
    return broken("a fault outside its regions", -EFAULT);
  if (place->region->pageSize != pageBytes)
    return huge(*place);
  // Aligned in the pool, so that a batch is a cold frame; what is zero is
  // aligned in the guest.
  PageMap::Piece piece = map.at(guestOf(*place));
  bool zero = !piece.pool || state.removed(place->bit);
  if (!zero && write && place->region->kind == RegionKind::PoolMapping)
    return writeFault(*place);
  uint64_t before =
      (zero ? guestOf(*place).value : piece.pool->value) % batchPages;
  Window w = around(*place, before, batchPages - before);
  if (w.kind != Kind::Zero) {
    Served s = fillFor(*place, w);
    if (s != Served::Done)
      return s;
    if (w.from == w.to)
      return poison(*place);
  }
  return answer(*place, w);
}

Served FaultHandler::giveUp(HostAddr at) {
  lastDone = {};
  if (auto place = state.find(at))
    return poison(*place);
  return calls.poison(at, pageBytes, true) > 0
             ? Served::Done
             : broken("a fault outside its regions", -EFAULT);
}

/// The pages from \p before before \p place to \p after after it that have the
/// same answer.
FaultHandler::Window FaultHandler::around(const Place &place, uint64_t before,
                                          uint64_t after) const {
  Window w{place.page - std::min(before, place.page),
           std::min(place.page + after, place.region->pages()),
           Kind::Zero,
           {}};
  PageMap::Piece piece = map.at(guestOf(place));
  uint64_t base = place.bit - place.page;
  bool removed = state.removed(place.bit);
  if (!piece.pool || !removed)
    cutToPiece(place, w);
  if (!piece.pool)
    return w;
  uint64_t from = place.page, to = place.page + 1;
  while (from > w.from && state.removed(base + from - 1) == removed)
    --from;
  while (to < w.to && state.removed(base + to) == removed)
    ++to;
  w.from = from;
  w.to = to;
  if (!removed) {
    w.kind = place.region->kind == RegionKind::PoolMapping ? Kind::Continue
                                                           : Kind::Copy;
    w.pool = {piece.pool->value - (place.page - from)};
  }
  return w;
}

/// Cuts \p w to the run or gap of the map that its page is in.
void FaultHandler::cutToPiece(const Place &place, Window &w) const {
  if (place.region->kind == RegionKind::PoolMapping)
    return; // checkRegions(): one run covers it
  GuestPage start = place.region->guest;
  for (;;) {
    PageMap::Piece piece = map.at(start + w.from);
    uint64_t end = w.from + piece.pages;
    if (end > place.page) {
      w.to = std::min(w.to, end);
      return;
    }
    w.from = end;
  }
}

/// Makes the window's pages whole, or cuts it to the page itself if some are
/// not; to nothing if that one has the wrong digest.
Served FaultHandler::fillFor(const Place &place, Window &w) {
  using enum PoolPages::Outcome;
  if (pool.fill(w.pool, w.to - w.from) == Present)
    return Served::Done;
  w.pool += place.page - w.from;
  w.from = place.page;
  w.to = place.page + 1;
  switch (pool.fill(w.pool, 1)) {
  case Present:
    return Served::Done;
  case Corrupt:
    w.to = w.from;
    return Served::Done;
  case Failed:
    break;
  }
  return Served::Wait;
}

/// The page is going to be different at once: a copy now instead of a mapping
/// and a copy. Its neighbours are mapped after its thread is awake.
Served FaultHandler::writeFault(const Place &place) {
  Window w = around(place, 0, 1);
  w.kind = Kind::Copy;
  Served s = fillFor(place, w);
  if (s != Served::Done)
    return s;
  if (w.from == w.to)
    return poison(place);
  int64_t n = call(place, w, w.from, w.to);
  s = judge(place, w, n);
  if (s != Served::Done || n <= 0 || batchPages == 1)
    return s;
  uint64_t before = w.pool.value % batchPages;
  Window all = around(place, before, batchPages - before);
  if (all.kind != Kind::Continue ||
      pool.fill(all.pool, all.to - all.from) != PoolPages::Outcome::Present)
    return s;
  auto mapped = [&](uint64_t from, uint64_t to) {
    return from == to ||
           call(place, all, from, to) == int64_t((to - from) * pageBytes);
  };
  bool below = mapped(all.from, place.page);
  bool above = mapped(place.page + 1, all.to);
  if (below && above)
    done(place, all.from, all.to);
  return s;
}

Served FaultHandler::answer(const Place &place, const Window &w) {
  int64_t n = call(place, w, w.from, w.to);
  uint64_t reached = w.from + (n > 0 ? uint64_t(n) / pageBytes : 0);
  if (reached > place.page) {
    done(place, w.from, reached);
    return Served::Done;
  }
  if (w.to - w.from == 1)
    return judge(place, w, n);
  if ((n > 0 || n == -EEXIST) && w.from < place.page) {
    // A neighbour before it is there already.
    n = call(place, w, place.page, w.to);
    if (n > 0) {
      done(place, place.page, place.page + uint64_t(n) / pageBytes);
      return Served::Done;
    }
  }
  if (n == -EEXIST || n == -EAGAIN || n == -ESRCH || n == -ENOSPC)
    return judge(place, w, n);
  return answerOne(place, w);
}

Served FaultHandler::answerOne(const Place &place, const Window &w) {
  return judge(place, w, call(place, w, place.page, place.page + 1));
}

/// Pages [from, to) of the window; counts what was done. Wakes.
int64_t FaultHandler::call(const Place &place, const Window &w, uint64_t from,
                           uint64_t to) {
  HostAddr start = place.region->at(from);
  uint64_t bytes = (to - from) * pageBytes;
  int64_t n = 0;
  FaultCounters::Count *count = nullptr;
  switch (w.kind) {
  case Kind::Zero:
    n = calls.zero(start, bytes, true);
    count = &counters.zeroed;
    break;
  case Kind::Continue:
    n = calls.continueRange(start, bytes, true);
    count = &counters.continued;
    break;
  case Kind::Copy:
    n = calls.copy(start, pool.at(w.pool + (from - w.from)), bytes, true);
    count = &counters.copied;
    break;
  }
  if (n > 0)
    FaultCounters::add(*count, uint64_t(n) / pageBytes);
  return n;
}

/// What \p result of a call for the page itself means.
Served FaultHandler::judge(const Place &place, const Window &w,
                           int64_t result) {
  uint64_t size = place.region->pageSize;
  uint64_t page = place.page / (size / pageBytes) * (size / pageBytes);
  if (result > 0) {
    done(place, page, page + uint64_t(result) / pageBytes);
    return Served::Done;
  }
  switch (result) {
  case -EEXIST:
    calls.wake(place.region->at(page), size);
    done(place, page, page + size / pageBytes);
    return Served::Done;
  case -EAGAIN:
    FaultCounters::add(counters.retries, 1);
    return Served::Retry;
  case -ENOMEM:
    return Served::Wait;
  case -ENOENT:
    calls.wake(place.region->at(page), size);
    return Served::Gone;
  case -ESRCH:
  case -ENOSPC:
    return Served::Dead;
  default:
    constexpr const char *names[] = {"UFFDIO_ZEROPAGE", "UFFDIO_CONTINUE",
                                     "UFFDIO_COPY"};
    return broken(names[size_t(w.kind)], result);
  }
}

Served FaultHandler::poison(const Place &place) {
  uint64_t size = place.region->pageSize;
  uint64_t page = place.page / (size / pageBytes) * (size / pageBytes);
  int64_t n = calls.poison(place.region->at(page), size, true);
  if (n > 0) {
    FaultCounters::add(counters.poisoned, uint64_t(n) / pageBytes);
    done(place, page, page + uint64_t(n) / pageBytes);
    return Served::Done;
  }
  if (n == -EEXIST || n == -EAGAIN || n == -ENOMEM || n == -ENOENT ||
      n == -ESRCH || n == -ENOSPC)
    return judge(place, {}, n);
  // A kernel before 6.6. The thread keeps waiting: there are no right bytes to
  // give it, and any way to let it go shows it zeros.
  return broken("UFFDIO_POISON for a page of the pool that fails its checksum",
                n);
}

/// 2 MiB at once. hugetlb has no ZEROPAGE.
Served FaultHandler::huge(const Place &place) {
  uint64_t back = place.page % hugePages;
  Place first{place.region, place.page - back, place.bit - back};
  if (!scratch())
    return Served::Wait;
  PageMap::Piece piece = map.at(guestOf(first));
  bool plain = piece.pool && piece.pages >= hugePages;
  for (uint64_t i = 0; i < hugePages && plain; ++i)
    plain = !state.removed(first.bit + i);
  const uint8_t *from = scratch();
  if (plain && pool.fill(*piece.pool, hugePages) == PoolPages::Outcome::Present)
    from = pool.at(*piece.pool);
  else if (Served s = assemble(first); s != Served::Done)
    return s == Served::Broken ? poison(place) : s;
  int64_t n =
      calls.copy(first.region->at(first.page), from, hugePageBytes, true);
  if (n > 0)
    FaultCounters::add(counters.copied, hugePages);
  return judge(first, {0, 0, Kind::Copy, {}}, n);
}

/// Puts 512 pages together in scratch(). Broken: one has the wrong digest.
Served FaultHandler::assemble(const Place &first) {
  uint8_t *to = scratch();
  for (uint64_t i = 0; i < hugePages;) {
    PageMap::Piece piece = map.at(guestOf(first) + i);
    bool removed = state.removed(first.bit + i);
    uint64_t pages = 1;
    while (pages < piece.pages && i + pages < hugePages &&
           state.removed(first.bit + i + pages) == removed)
      ++pages;
    if (removed || !piece.pool) {
      std::memset(to + i * pageBytes, 0, pages * pageBytes);
    } else {
      PoolPages::Outcome o = pool.fill(*piece.pool, pages);
      if (o != PoolPages::Outcome::Present)
        return o == PoolPages::Outcome::Corrupt ? Served::Broken : Served::Wait;
      std::memcpy(to + i * pageBytes, pool.at(*piece.pool), pages * pageBytes);
    }
    i += pages;
  }
  return Served::Done;
}

Served FaultHandler::bring(uint64_t bit, uint64_t most, bool forGood,
                           uint64_t &advanced) {
  Place place = state.place(bit);
  advanced = 0;
  if (place.region->pageSize != pageBytes) {
    Served s = huge(place);
    if (s == Served::Done || s == Served::Gone)
      advanced = hugePages - place.page % hugePages;
    return s == Served::Gone ? Served::Done : s;
  }
  Window w = around(place, 0, most);
  if (w.kind != Kind::Zero) {
    Served s = fillFor(place, w);
    if (s != Served::Done)
      return s;
    if (w.from == w.to) {
      s = forGood ? poison(place) : Served::Done;
      advanced = s == Served::Done;
      return s;
    }
  }
  int64_t n = call(place, w, w.from, w.to);
  if (n > 0) {
    advanced = uint64_t(n) / pageBytes;
    return Served::Done;
  }
  if (n == -EEXIST) {
    // Whoever waits there has a message of his own.
    advanced = 1;
    return Served::Done;
  }
  Served s = n == -EAGAIN || w.to - w.from == 1 ? judge(place, w, n)
                                                : answerOne(place, w);
  if (s == Served::Done || s == Served::Gone) {
    advanced = 1;
    return Served::Done;
  }
  return s;
}

void FaultHandler::done(const Place &place, uint64_t from, uint64_t to) {
  lastDone = {place.bit - place.page + from, to - from};
}

Served FaultHandler::broken(const char *call, int64_t result) {
  brokenCall = call;
  brokenErrno = int(-result);
  return Served::Broken;
}

} // namespace spacer
