//===- PageServer.h - answers the page faults of many VMs -----------------===//
//
// One server has as many threads as it is given, each with an epoll set; a
// userfaultfd belongs to one thread at a time. That is what makes REMOVE right:
// a thread reads a batch of messages, takes every REMOVE of the batch into the
// record first, then serves the faults, then reads again. The kernel holds the
// remover back until its message is read and lets it zap afterwards, so no
// decision made before a REMOVE can be carried out after it.
//
// Death: what must survive a kill lies in a small memfd for each session (its
// "state"): regions, one bit for each removed page, and the buffer that read(2)
// fills. A successor that adopts the state first takes the messages that were
// read and perhaps not served, then wakes every waiting thread: it faults
// again, and nothing was lost. Every step can be repeated.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PAGESERVER_H
#define SPACER_RUNTIME_PAGESERVER_H

#include "HostPool.h"
#include "MemoryMap.h"
#include "Region.h"
#include "Uffd.h"
#include <chrono>
#include <functional>

namespace spacer {

struct SessionSpec {
  std::string name;   ///< for logs and statistics: the VM
  std::string object; ///< for logs and the working set
  UniqueFd uffd;      ///< non-blocking; the handshake is done
  UniqueFd pidfd;     ///< of the process that faults; -1: not watched
  std::shared_ptr<HostPool> pool;
  std::shared_ptr<const PageMap> map;
  std::vector<Region> regions; ///< by rising start, no overlap
  /// Guest pages in the order in which another VM first touched them.
  std::vector<std::pair<GuestPage, uint64_t>> replay;
  bool record = true; ///< keep the order of first faults
};

enum class SessionId : uint64_t {};

struct SessionStats {
  SessionId id{};
  std::string name, object;
  uint64_t faults = 0;                                          ///< messages
  uint64_t continued = 0, copied = 0, zeroed = 0, poisoned = 0; ///< pages
  uint64_t prefetched = 0; ///< pages brought by replay, of the above
  uint64_t removed = 0;    ///< pages of REMOVE events
  uint64_t retries = 0;    ///< EAGAIN
};

struct PageServerOptions {
  unsigned threads = 0;     ///< 0: as many as cores
  uint64_t batchPages = 16; ///< neighbours served with a fault
  /// Called by a thread of the server that holds no lock; it may call
  /// remove(). \p why is "": the process or its memory is gone, and the session
  /// with it; stats() and workingSet() know it until the call returns.
  /// Otherwise the session is broken and that is why, which was logged: each
  /// further fault is poisoned (SIGBUS) or, before Linux 6.6, waits; the
  /// descriptor stays open, for closing it would show zeros or old bytes, until
  /// the process ends (a second call) or remove().
  std::function<void(SessionId, const std::string &why)> ended;
};

class PageServer {
public:
  static Result<std::unique_ptr<PageServer>> start(PageServerOptions options);
  /// Does not end sessions: their uffds stay open as long as someone (a keeper)
  /// has them.
  ~PageServer();

  /// EINVAL if a region is empty, unaligned, outside the map, overlaps another,
  /// or the descriptor is no uffd.
  Result<SessionId> add(SessionSpec spec);
  /// As add(), for a session whose server died: \p state is what stateFd() of
  /// the dead one gave; regions and removed pages come from it. EBADMSG if it
  /// is none. The dead server must be dead.
  Result<SessionId> adopt(SessionSpec spec, UniqueFd state);
  /// For a keeper. Valid while the session lives.
  int stateFd(SessionId id) const;
  int uffdFd(SessionId id) const;

  /// Brings everything that is still lazy, so that the server may stop
  /// afterwards. Blocks. EBUSY if the VM gives memory back all the while, EIO
  /// if the pool cannot be read, ESRCH if the process ends. What the VM gives
  /// back after the server stopped holds its first content again.
  Result<void> drain(SessionId id);
  /// Closes the server's descriptors. A living process then sees wrong bytes
  /// where it was still lazy, unless someone else has its uffd: drain() first.
  void remove(SessionId id);

  std::vector<SessionStats> stats() const;
  /// Round trips that the server sees (message read to wake), counts in
  /// buckets of powers of two of nanoseconds: [i] is < 2^i.
  std::vector<uint64_t> latencyHistogram() const;
  /// First faults so far, in order, neighbours joined.
  std::vector<std::pair<GuestPage, uint64_t>> workingSet(SessionId id) const;

private:
  struct State;
  explicit PageServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace spacer

#endif
