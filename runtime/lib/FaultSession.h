//===- FaultSession.h - one VM's faults, from message to wake -------------===//
//
// Reads the messages of one userfaultfd in batches and has the FaultHandler
// answer them; keeps what must be asked again, what is to be brought ahead, and
// what was touched first. No threads here: all but the members that say so are
// for the one thread that owns the session.
//
// A batch:
// 1. read(2) into the state's buffer (SessionState.h says why there).
// 2. Every REMOVE and UNMAP goes into the record. The kernel hands out faults
//    before events, and a fault may stand before the REMOVE that caused it.
// 3. The faults are answered. EAGAIN says that another REMOVE waits unread or
//    its remover has not run on: the fault goes on a list with a timer, and the
//    messages are read before it is asked again.
// 4. The buffer is zeroed.
//
// Why no decision is carried out too late: a remover tells the kernel first
// (from then on every ioctl fails with EAGAIN), waits until its message was
// read, and zaps the pages after that. An ioctl that succeeds was made either
// before it told, and its page is zapped with the rest, or after the message
// was read, and step 2 comes before step 3.
//
// What cannot be served is broken: one log line, one call of `ended`, and from
// then on every fault is poisoned (SIGBUS) as far as the kernel can. The
// descriptor stays open until the process ends: closing it would show zeros or
// old bytes instead.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_FAULTSESSION_H
#define SPACER_RUNTIME_FAULTSESSION_H

#include "FaultHandler.h"
#include "PageServer.h"
#include <deque>
#include <future>

namespace spacer {

/// Counts of durations below 2^i nanoseconds, [i] not in [i - 1].
using LatencyCounts = std::array<std::atomic<uint64_t>, 40>;

/// CLOCK_MONOTONIC in nanoseconds.
int64_t nowNs();

/// For a userfaultfd: poll(2) gives POLLERR as long as it may block.
void setNonBlocking(int fd);

class FaultSession {
public:
  /// \p spec was checked; its regions are the state's.
  FaultSession(SessionId id, SessionSpec spec, SessionState state,
               uint64_t batchPages);
  ~FaultSession();

  const SessionId id;
  const std::string name, object;
  int uffdFd() const { return uffd.fd(); }
  int stateFd() const { return state.fd(); }
  int pidFd() const { return pidfd.get(); }

  enum class Health {
    Good,
    Broken, ///< just now, or since it was adopted: see why()
    Deaf,   ///< Broken, and its descriptor can no longer be read
    Dead,   ///< its memory is gone
  };
  /// Of a dead server's session: takes the messages that it had read, then
  /// wakes everyone.
  void replayMessages();
  /// Reads and serves what is there; if that is very much, the rest is due().
  Health serve(LatencyCounts &latency);
  /// When work() wants to be called: nowNs() or before means now, INT64_MAX
  /// never.
  int64_t due() const;
  /// Asks again what is due, then brings one stretch of replay or drain.
  Health work(LatencyCounts &latency);
  const std::string &why() const { return reason; }

  /// Queues a drain; the future is ready when it ended.
  std::future<Result<void>> drain();

  /// Any thread.
  SessionStats stats() const;
  std::vector<std::pair<GuestPage, uint64_t>> workingSet() const;

  bool watched = false; ///< for the thread: it is in the epoll set
  bool busy = false;    ///< for the thread: it is in the list of due ones
  bool told = false;    ///< for the thread: `ended` was called with a reason

private:
  struct Waiting {
    HostAddr at;
    bool write = false;
    int64_t since = 0, due = 0;
    int64_t pause = 0;
  };
  struct Drain {
    std::promise<Result<void>> result;
    uint64_t bit = 0, removedBefore = 0;
    unsigned passes = 0;
    int64_t failingSince = 0;
  };
  using Stretch = FaultHandler::Stretch;

  void takeEvents(std::span<const uffd_msg> batch);
  void keepForks(std::span<const uffd_msg> batch);
  Served serveFault(HostAddr at, bool write);
  void askAgain(HostAddr at, bool write, Served why, int64_t now, int64_t since,
                int64_t pause);
  void retry(LatencyCounts &latency, int64_t now);
  void prefetch(int64_t now);
  void drainStep(int64_t now);
  void endDrain(Result<void> result);
  void touched(Stretch pages);
  void noteFirst(uint64_t bit, uint64_t pages);
  void breakSession(const std::string &why);
  void planReplay(const std::vector<std::pair<GuestPage, uint64_t>> &order);

  UniqueFd pidfd;
  Uffd uffd;
  SessionState state;
  const std::shared_ptr<HostPool> pool;
  const std::shared_ptr<const PageMap> map;
  FaultCounters counters;
  FaultHandler handler;

  Health health = Health::Good;
  std::string reason;
  std::vector<Waiting> waiting;
  bool unread = false;          ///< the last serve() left messages
  std::vector<UniqueFd> forked; ///< never served, never closed before us

  std::vector<Stretch> replay; ///< in bits
  size_t replayAt = 0;
  std::deque<Drain> drains;
  int64_t pauseUntil = 0; ///< of replay and drain

  const bool record;
  std::vector<uint64_t> touchedBits;
  mutable std::mutex orderLock;
  std::vector<std::pair<GuestPage, uint64_t>> order;
};

} // namespace spacer

#endif
