//===- FaultHandler.h - what answers a fault ------------------------------===//
//
// A fault says only where and whether to write. What the page must hold is
// known here; what the kernel thinks of the answer comes back as an errno. In
// between is this table:
//
//   the page is            the answer
//   removed, or zero       ZEROPAGE                    (2 MiB: COPY of zeros)
//   pool, pool mapping     read: fill, CONTINUE; write: fill, COPY of this
//   page,
//                          then CONTINUE of its neighbours
//   pool, anonymous        fill, COPY                  (2 MiB: 512 pages put
//                          together)
//   pool, wrong digest     POISON of this page: SIGBUS for whoever touches it
//
//   the kernel says        that means
//   less than asked for    a neighbour is there already: go on from the page
//   EEXIST                 another fault brought it: wake, done
//   EAGAIN                 a REMOVE waits to be read, or its remover has not
//                          run on: Retry
//   ENOENT                 the client changed its mappings: without neighbours,
//                          then Gone: wake, it faults again if it still can
//   ESRCH, ENOSPC          its memory is being torn down: Dead
//   ENOMEM                 the host has no page: Wait
//   anything else          Broken
//
// A batch is an aligned window of pages around the fault, cut down to its
// region, to pages of equal kind that follow each other in the pool, and to
// pages that are all removed or all not.
//
// Whether a page of the pool is in memory is the PoolPages' word alone: a page
// that a killed process copied halfway is in the page cache and CONTINUE would
// map it.
//
// No allocation, no lock (but the pool's, when it must read), no log line.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_FAULTHANDLER_H
#define SPACER_RUNTIME_FAULTHANDLER_H

#include "HostPool.h"
#include "SessionState.h"
#include "Uffd.h"
#include <atomic>

namespace spacer {

enum class Served {
  Done,   ///< the page is there or poisoned, its waiters are awake
  Retry,  ///< EAGAIN: read the messages, then ask again
  Wait,   ///< no memory, or the pool cannot be read now: ask again later
  Gone,   ///< no such mapping any more; its waiters are awake
  Dead,   ///< the process is ending
  Broken, ///< not understood; see FaultHandler::why()
};

/// Written by one thread, read by any.
struct FaultCounters {
  using Count = std::atomic<uint64_t>;
  Count faults{0}, continued{0}, copied{0}, zeroed{0}, poisoned{0};
  Count prefetched{0}, removed{0}, retries{0};

  /// Without the cost of an atomic addition: there is one writer.
  static void add(Count &c, uint64_t n) {
    c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

/// Belongs to one thread at a time.
class FaultHandler {
public:
  /// All must live as long as the handler.
  FaultHandler(UffdCalls &calls, SessionState &state, const PageMap &map,
               PoolPages &pool, FaultCounters &counters, uint64_t batchPages);

  /// Answers the fault at \p at. Wait and Retry leave nothing undone that may
  /// not be done again.
  Served fault(HostAddr at, bool write);
  /// A fault that waited too long for its page: poisons it.
  Served giveUp(HostAddr at);

  /// Brings pages before anyone asks: from \p bit (below state.pages()) on up
  /// to \p most, as far as one answer reaches. \p advanced: pages that need no
  /// more thought; 0 unless Done. Whoever waits there is woken. \p forGood: so
  /// that nobody need be there later: wrong pages are poisoned, otherwise left
  /// to their fault.
  Served bring(uint64_t bit, uint64_t most, bool forGood, uint64_t &advanced);

  /// Bits [first, first + pages) that the last Done brought or found.
  struct Stretch {
    uint64_t bit = 0, pages = 0;
  };
  Stretch last() const { return lastDone; }
  /// Why it is Broken: a call's name and its errno.
  const char *why() const { return brokenCall; }
  int whyErrno() const { return brokenErrno; }

private:
  enum class Kind : uint8_t { Zero, Continue, Copy };
  using Place = SessionState::Place;
  /// Pages [from, to) of a region, and what they hold.
  struct Window {
    uint64_t from = 0, to = 0;
    Kind kind = Kind::Zero;
    PoolPage pool; ///< of page `from`
  };
  Window around(const Place &place, uint64_t before, uint64_t after) const;
  void cutToPiece(const Place &place, Window &w) const;
  Served fillFor(const Place &place, Window &w);
  Served writeFault(const Place &place);
  Served answer(const Place &place, const Window &w);
  Served answerOne(const Place &place, const Window &w);
  int64_t call(const Place &place, const Window &w, uint64_t from, uint64_t to);
  Served judge(const Place &place, const Window &w, int64_t result);
  Served poison(const Place &place);
  Served huge(const Place &place);
  Served assemble(const Place &first);
  void done(const Place &place, uint64_t from, uint64_t to);
  Served broken(const char *call, int64_t result);

  UffdCalls &calls;
  SessionState &state;
  const PageMap &map;
  PoolPages &pool;
  FaultCounters &counters;
  const uint64_t batchPages;
  Stretch lastDone;
  const char *brokenCall = "";
  int brokenErrno = 0;
};

} // namespace spacer

#endif
