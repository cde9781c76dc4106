//===- FaultSession.cpp - one VM's faults, from message to wake -----------===//

#include "FaultSession.h"
#include "Log.h"
#include <algorithm>
#include <bit>
#include <ctime>
#include <fcntl.h>
#include <sys/uio.h>

namespace spacer {
namespace {

constexpr int64_t usNs = 1000, msNs = 1000 * usNs, secondNs = 1000 * msNs;
/// EAGAIN lasts until the remover has run on: microseconds, if it may run.
constexpr int64_t firstRetryNs = 20 * usNs, lastRetryNs = 2 * msNs;
/// No memory, or a pool that cannot be read.
constexpr int64_t firstWaitNs = 1 * msNs, lastWaitNs = 200 * msNs;
/// Then the page is poisoned, as a mapped file's is whose disk fails.
constexpr int64_t giveUpNs = 5 * secondNs;
/// Batches of one session before the thread looks at the others.
constexpr int mostRounds = 4;
/// Pages of a stretch that comes ahead of its fault: about 10 us of CONTINUE,
/// 40 of COPY, that another fault may have to wait.
constexpr uint64_t mappedAhead = 64, copiedAhead = 16;
constexpr size_t mostRecorded = size_t(1) << 20;
constexpr unsigned mostPasses = 16;

std::string hex(uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(v));
  return text;
}

void count(LatencyCounts &latency, int64_t ns) {
  size_t i = size_t(std::bit_width(uint64_t(std::max<int64_t>(ns, 0))));
  auto &c = latency[std::min(i, latency.size() - 1)];
  c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// read(2) that never waits. O_NONBLOCK alone is not enough: the client has the
/// same open file and may clear it, and one client that makes this thread wait
/// stops all others of the thread.
ssize_t readNow(int fd, std::span<uffd_msg> buffer) {
  iovec part{buffer.data(), buffer.size_bytes()};
  ssize_t n = preadv2(fd, &part, 1, -1, RWF_NOWAIT);
  if (n >= 0 || errno != EOPNOTSUPP)
    return n;
  setNonBlocking(fd); // before Linux 6.10
  return read(fd, buffer.data(), buffer.size_bytes());
}

} // namespace

void setNonBlocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && !(flags & O_NONBLOCK))
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int64_t nowNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * secondNs + t.tv_nsec;
}

FaultSession::FaultSession(SessionId id, SessionSpec spec, SessionState given,
                           uint64_t batchPages)
    : id(id), name(std::move(spec.name)), object(std::move(spec.object)),
      pidfd(std::move(spec.pidfd)), uffd(std::move(spec.uffd)),
      state(std::move(given)), pool(std::move(spec.pool)),
      map(std::move(spec.map)),
      handler(uffd, state, *map, *pool, counters, batchPages),
      record(spec.record) {
  waiting.reserve(64);
  if (record) {
    touchedBits.resize((state.pages() + 63) / 64);
    order.reserve(1024);
  }
  planReplay(spec.replay);
  if (state.broken()) {
    health = Health::Broken;
    reason = "was broken before its server died";
  }
}

FaultSession::~FaultSession() {
  while (!drains.empty())
    endDrain(Error{ESRCH, name + ": the session ended"});
}

void FaultSession::planReplay(
    const std::vector<std::pair<GuestPage, uint64_t>> &wanted) {
  if (wanted.empty())
    return;
  std::vector<const Region *> byGuest;
  for (const Region &r : state.regions())
    byGuest.push_back(&r);
  std::sort(byGuest.begin(), byGuest.end(),
            [](auto *a, auto *b) { return a->guest < b->guest; });
  for (auto [from, pages] : wanted) {
    uint64_t end = from.value + pages;
    auto r = std::upper_bound(
        byGuest.begin(), byGuest.end(), from,
        [](GuestPage p, const Region *r) { return p < r->guest + r->pages(); });
    for (; r != byGuest.end() && (*r)->guest.value < end; ++r) {
      uint64_t start = std::max(from.value, (*r)->guest.value);
      uint64_t stop = std::min(end, (*r)->guest.value + (*r)->pages());
      auto place = state.find((*r)->at(start - (*r)->guest.value));
      replay.push_back({place->bit, stop - start});
    }
  }
}

void FaultSession::replayMessages() {
  auto buffer = state.messages();
  takeEvents(buffer);
  state.clearMessages(buffer.size());
  for (const Region &r : state.regions())
    uffd.wake(r.start, r.bytes);
}

FaultSession::Health FaultSession::serve(LatencyCounts &latency) {
  auto buffer = state.messages();
  unread = false;
  for (int round = 0;; ++round) {
    if (round == mostRounds) {
      unread = true;
      break;
    }
    ssize_t n = readNow(uffd.fd(), buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      break;
    if (n <= 0 || size_t(n) % sizeof(uffd_msg)) {
      breakSession(n < 0 ? systemError("userfaultfd").context
                         : "userfaultfd: read of " + std::to_string(n) +
                               " bytes");
      return health = Health::Deaf;
    }
    auto batch = buffer.first(size_t(n) / sizeof(uffd_msg));
    int64_t read = nowNs();
    takeEvents(batch);
    if (health != Health::Good)
      keepForks(batch);
    // Where many threads wait for one page, the first answer woke them all.
    HostAddr wokenFrom, wokenTo;
    for (const uffd_msg &m : batch) {
      if (m.event != UFFD_EVENT_PAGEFAULT)
        continue;
      FaultCounters::add(counters.faults, 1);
      HostAddr at{m.arg.pagefault.address};
      if (wokenFrom <= at && at < wokenTo)
        continue;
      bool write = m.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE;
      Served s = serveFault(at, write);
      int64_t now = nowNs();
      if (s == Served::Done) {
        count(latency, now - read);
        Stretch last = handler.last();
        auto place = state.place(last.bit);
        wokenFrom = place.region->at(place.page);
        wokenTo = wokenFrom + last.pages * pageBytes;
        touched(last);
      } else {
        askAgain(at, write, s, now, read, 0);
      }
    }
    state.clearMessages(batch.size());
    if (batch.size() < buffer.size())
      break;
  }
  return health;
}

void FaultSession::takeEvents(std::span<const uffd_msg> batch) {
  for (const uffd_msg &m : batch) {
    HostAddr start{m.arg.remove.start}, end{m.arg.remove.end};
    switch (m.event) {
    case 0: // an unused place, seen when a dead server's buffer is replayed
    case UFFD_EVENT_PAGEFAULT:
      break;
    case UFFD_EVENT_REMOVE:
      FaultCounters::add(counters.removed, state.remove(start, end));
      break;
    case UFFD_EVENT_UNMAP:
      // Nobody will fault there as long as nobody maps it again; who waits
      // now gets his SIGSEGV.
      state.remove(start, end);
      uffd.wake(start, end - start);
      break;
    case UFFD_EVENT_FORK:
      breakSession("its process asked for fork events, which are not served");
      break;
    case UFFD_EVENT_REMAP:
      breakSession("guest memory at " + hex(m.arg.remap.from) +
                   " was moved to " + hex(m.arg.remap.to) +
                   ", which is not served");
      break;
    default:
      breakSession("userfaultfd: event " + std::to_string(m.event) +
                   " is not known");
    }
  }
}

/// A fork's message comes with a descriptor for the child's memory, open in
/// this process now. Closed, it would show the child zeros; open, its faults
/// wait. Not for a dead server's messages: its numbers mean nothing here.
void FaultSession::keepForks(std::span<const uffd_msg> batch) {
  for (const uffd_msg &m : batch)
    if (m.event == UFFD_EVENT_FORK)
      forked.emplace_back(int(m.arg.fork.ufd));
}

Served FaultSession::serveFault(HostAddr at, bool write) {
  at.value &= ~(pageBytes - 1);
  if (health != Health::Good)
    return handler.giveUp(at);
  Served s = handler.fault(at, write);
  if (s != Served::Broken)
    return s;
  breakSession("page at " + hex(at.value) + ": " + handler.why() + ": " +
               std::strerror(handler.whyErrno()));
  return handler.giveUp(at);
}

void FaultSession::askAgain(HostAddr at, bool write, Served why, int64_t now,
                            int64_t since, int64_t pause) {
  if (why == Served::Dead)
    health = Health::Dead;
  if (why != Served::Retry && why != Served::Wait)
    return;
  bool soon = why == Served::Retry;
  pause = std::clamp(2 * pause, soon ? firstRetryNs : firstWaitNs,
                     soon ? lastRetryNs : lastWaitNs);
  waiting.push_back({at, write, since, now + pause, pause});
}

int64_t FaultSession::due() const {
  int64_t first = unread ? 0 : INT64_MAX;
  for (const Waiting &w : waiting)
    first = std::min(first, w.due);
  if (health == Health::Good && (replayAt < replay.size() || !drains.empty()))
    first = std::min(first, pauseUntil);
  return first;
}

FaultSession::Health FaultSession::work(LatencyCounts &latency) {
  int64_t now = nowNs();
  if (unread || !waiting.empty()) {
    if (serve(latency) == Health::Dead)
      return health;
    retry(latency, now);
  }
  if (health != Health::Good) {
    while (!drains.empty())
      endDrain(Error{EIO, name + ": " + reason});
  } else if (pauseUntil <= now) {
    if (!drains.empty())
      drainStep(now);
    else if (replayAt < replay.size())
      prefetch(now);
  }
  return health;
}

void FaultSession::retry(LatencyCounts &latency, int64_t now) {
  size_t many = waiting.size(), kept = 0;
  for (size_t i = 0; i < many && health != Health::Dead; ++i) {
    Waiting w = waiting[i];
    if (w.due > now) {
      waiting[kept++] = w;
      continue;
    }
    Served s = serveFault(w.at, w.write);
    if (s == Served::Wait && now - w.since > giveUpNs) {
      logError(name + ": page at " + hex(w.at.value) +
               ": cannot be read, nor memory be had, for 5 seconds; poisoned");
      s = handler.giveUp(w.at);
    }
    if (s == Served::Done) {
      count(latency, nowNs() - w.since);
      touched(handler.last());
    } else {
      askAgain(w.at, w.write, s, now, w.since, w.pause);
    }
  }
  waiting.erase(waiting.begin() + ptrdiff_t(kept),
                waiting.begin() + ptrdiff_t(many));
}

/// One stretch of the replay. What cannot be brought now is left to its fault.
void FaultSession::prefetch(int64_t now) {
  Stretch &next = replay[replayAt];
  auto kind = state.place(next.bit).region->kind;
  uint64_t most = std::min(
      next.pages, kind == RegionKind::PoolMapping ? mappedAhead : copiedAhead);
  uint64_t before = counters.continued + counters.copied + counters.zeroed;
  uint64_t advanced = 0;
  Served s = handler.bring(next.bit, most, false, advanced);
  FaultCounters::add(counters.prefetched, counters.continued + counters.copied +
                                              counters.zeroed - before);
  switch (s) {
  case Served::Done:
    break;
  case Served::Retry:
    pauseUntil = now + 2 * firstRetryNs;
    return;
  case Served::Dead:
    health = Health::Dead;
    return;
  case Served::Wait:
  case Served::Gone:
  case Served::Broken: // if it is, the fault itself will say so
    advanced = most;
    break;
  }
  advanced = std::min(advanced, next.pages);
  next.bit += advanced;
  next.pages -= advanced;
  if (next.pages == 0)
    ++replayAt;
}

std::future<Result<void>> FaultSession::drain() {
  drains.emplace_back();
  drains.back().removedBefore = counters.removed;
  return drains.back().result.get_future();
}

/// A drain goes over all pages; a REMOVE meanwhile makes it go over them again,
/// for what it removed must not come back when nobody watches.
void FaultSession::drainStep(int64_t now) {
  Drain &d = drains.front();
  if (d.bit == state.pages()) {
    if (!waiting.empty()) {
      pauseUntil = now + firstWaitNs;
      return;
    }
    if (d.removedBefore == counters.removed)
      return endDrain({});
    if (++d.passes == mostPasses)
      return endDrain(Error{EBUSY, name + ": its memory is given back as fast "
                                          "as it is brought"});
    d.bit = 0;
    d.removedBefore = counters.removed;
  }
  auto place = state.place(d.bit);
  uint64_t most =
      std::min(place.region->pages() - place.page,
               place.region->kind == RegionKind::PoolMapping ? mappedAhead
                                                             : copiedAhead);
  uint64_t advanced = 0;
  switch (handler.bring(d.bit, most, true, advanced)) {
  case Served::Done:
  case Served::Gone:
    d.bit += std::max<uint64_t>(advanced, 1);
    d.failingSince = 0;
    return;
  case Served::Retry:
    pauseUntil = now + 2 * firstRetryNs;
    return;
  case Served::Wait:
    pauseUntil = now + firstWaitNs;
    if (d.failingSince == 0)
      d.failingSince = now;
    if (now - d.failingSince > giveUpNs)
      endDrain(Error{EIO, name + ": the pool cannot be read, nor memory be "
                                 "had, for 5 seconds"});
    return;
  case Served::Dead:
    health = Health::Dead;
    return endDrain(Error{ESRCH, name + ": its process ended"});
  case Served::Broken:
    breakSession(std::string(handler.why()) + ": " +
                 std::strerror(handler.whyErrno()));
    return endDrain(Error{EIO, name + ": " + reason});
  }
}

void FaultSession::endDrain(Result<void> result) {
  Drain d = std::move(drains.front());
  drains.pop_front();
  d.result.set_value(std::move(result));
}

/// The order of first faults, with the neighbours that came along.
void FaultSession::touched(Stretch pages) {
  if (!record || health != Health::Good)
    return;
  // Mostly all of a batch is new, or nothing.
  uint64_t &word = touchedBits[pages.bit / 64];
  uint64_t in = pages.bit % 64;
  if (in + pages.pages <= 64 && pages.pages) {
    uint64_t mask = ~uint64_t(0) >> (64 - pages.pages) << in;
    if ((word & mask) == mask)
      return;
    if ((word & mask) == 0) {
      word |= mask;
      return noteFirst(pages.bit, pages.pages);
    }
  }
  auto seen = [&](uint64_t bit) {
    return touchedBits[bit / 64] >> bit % 64 & 1;
  };
  uint64_t bit = pages.bit, end = pages.bit + pages.pages;
  while (bit < end) {
    for (; bit < end && seen(bit); ++bit)
      ;
    uint64_t from = bit;
    for (; bit < end && !seen(bit); ++bit)
      touchedBits[bit / 64] |= uint64_t(1) << bit % 64;
    if (from < bit)
      noteFirst(from, bit - from);
  }
}

void FaultSession::noteFirst(uint64_t bit, uint64_t pages) {
  auto place = state.place(bit);
  GuestPage guest = place.region->guest + place.page;
  std::lock_guard lock(orderLock);
  if (!order.empty() && order.back().first + order.back().second == guest)
    order.back().second += pages;
  else if (order.size() < mostRecorded)
    order.emplace_back(guest, pages);
}

void FaultSession::breakSession(const std::string &why) {
  if (health != Health::Good)
    return;
  health = Health::Broken;
  reason = why;
  state.setBroken();
  logError(name + (object.empty() ? "" : " (" + object + ")") + ": " + why +
           "; its faults are not served any more");
}

SessionStats FaultSession::stats() const {
  auto value = [](const FaultCounters::Count &c) {
    return c.load(std::memory_order_relaxed);
  };
  SessionStats s;
  s.id = id;
  s.name = name;
  s.object = object;
  s.faults = value(counters.faults);
  s.continued = value(counters.continued);
  s.copied = value(counters.copied);
  s.zeroed = value(counters.zeroed);
  s.poisoned = value(counters.poisoned);
  s.prefetched = value(counters.prefetched);
  s.removed = value(counters.removed);
  s.retries = value(counters.retries);
  return s;
}

std::vector<std::pair<GuestPage, uint64_t>> FaultSession::workingSet() const {
  std::lock_guard lock(orderLock);
  return order;
}

} // namespace spacer
