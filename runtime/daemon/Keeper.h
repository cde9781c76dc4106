//===- Keeper.h - holds what must outlive the daemon ----------------------===//
//
// When the last descriptor of a userfaultfd closes, pages that were still
// missing silently become zeros; and nobody can map a sealed memfd writable
// anew. So spacerd is two processes. The keeper does nothing but hold records:
// a key, a short text, descriptors, and for a pool's memfd a writable mapping
// that it made before it sealed the memfd. It is single-threaded and forks the
// worker, which does everything else. When the worker dies, the keeper forks
// the next, which inherits the records, mappings included, and adopts them.
//
// The worker tells the keeper over a socket: "hold this" (answered, so that no
// client hears of a session before the keeper has it) and "drop that". Both
// sides have all records: the worker's copy is what makes it possible that,
// when the keeper dies, the worker stops its threads, becomes a keeper itself
// and forks a worker anew (see Main.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_KEEPER_H
#define SPACER_RUNTIME_KEEPER_H

#include "Fd.h"
#include "Result.h"
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace spacer {

struct KeptRecord {
  std::string text;
  std::vector<UniqueFd> fds;
  Mapping memory; ///< of fds[0], shared and writable; none if not asked for

  /// Another owner of the same things.
  Result<KeptRecord> duplicate() const;
};
/// By key: "KIND/NAME".
using KeptRecords = std::map<std::string, KeptRecord>;

/// The worker's end. Any thread.
class KeeperLink {
public:
  /// No keeper: everything succeeds, nothing is held.
  KeeperLink() = default;
  KeeperLink(UniqueFd calls, UniqueFd orders, KeptRecords records);

  /// Replaces what the key had. On return the keeper has its own copies of
  /// \p fds (at most 8); \p text is at most 16 KiB. With \p sealing, it has
  /// mapped all of fds[0] writable and then sealed it. Also succeeds when the
  /// keeper is lost, for then there is only the worker's own copy.
  Result<void> hold(const std::string &key, std::string_view text,
                    std::span<const int> fds, bool sealing = false);
  void drop(const std::string &key);
  /// Tells that the worker serves.
  void ready();

  bool exists() const { return static_cast<bool>(orders); }
  /// Orders come here ('s' stop, 'r' reload, one byte each); its end says that
  /// the keeper is gone. -1 without keeper.
  int ordersFd() const { return orders.get(); }
  /// Keys of a kind, by rising name.
  std::vector<std::string> keys(std::string_view kind) const;
  Result<KeptRecord> record(const std::string &key) const;
  /// For the worker that becomes a keeper.
  KeptRecords takeRecords();

private:
  int transact(const std::string &key, std::string_view text,
               std::span<const int> fds, uint32_t what);

  mutable std::mutex lock;
  UniqueFd calls, orders;
  KeptRecords mirror;
};

/// What runKeeper() returns in the worker.
struct WorkerStart {
  std::unique_ptr<KeeperLink> link;
  uint64_t restarts = 0; ///< workers that died before this one
};

/// Exit codes of a worker.
inline constexpr int workerStopped = 0;
inline constexpr int workerCannotStart = 2; ///< before it was ready, said why

struct KeeperEnd {
  std::unique_ptr<WorkerStart> worker; ///< set: this is the worker
  int exitCode = 0;                    ///< else: what the keeper exits with
};

/// Blocks SIGCHLD, SIGTERM, SIGINT, SIGHUP (in the worker they stay blocked)
/// and forks workers until one ends in order after a stop. The process must
/// have one thread. \p records: what a worker left that became a keeper.
KeeperEnd runKeeper(KeptRecords records = {}, uint64_t restarts = 0);

/// To systemd, if it started us (NOTIFY_SOCKET): "READY=1" and the like.
void notifyManager(const std::string &state);

} // namespace spacer

#endif
