//===- Sessions.h - the VMs whose faults the daemon serves ----------------===//
//
// A session is known to three: the PageServer serves it, the keeper holds its
// descriptors, and here stands what it is called and whose pages it uses. In
// the keeper it is a record "session/NUMBER" with four descriptors: uffd,
// pidfd, the server's state, and the page map (so that a successor does not
// depend on the catalog). Its order of first faults is a second record,
// "order/NUMBER", renewed now and then.
//
// A session that breaks while its process lives is not dropped: were its uffd
// closed, what is still missing would become zeros. The server poisons what it
// touches (PageServer.h) until the process ends. Any thread.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_SESSIONS_H
#define SPACER_RUNTIME_SESSIONS_H

#include "Domain.h"
#include "PageServer.h"
#include <functional>
#include <map>
#include <mutex>

namespace spacer {

struct SessionRow {
  uint64_t number = 0;
  std::string domain;
  pid_t pid = 0;
  bool broken = false;
  SessionStats stats;
};

/// Sums of a domain's sessions, ended ones included.
struct SessionTotals {
  uint64_t sessions = 0; ///< now
  uint64_t broken = 0;   ///< of these
  uint64_t started = 0;
  SessionStats sum; ///< the counts only
};

class Sessions {
public:
  /// \p ended is called from any thread when reap() has work.
  static Result<std::unique_ptr<Sessions>>
  start(unsigned threads, KeeperLink &link, std::function<void()> ended);
  ~Sessions();

  struct Attach {
    std::shared_ptr<Domain> domain;
    std::string object, name;
    std::shared_ptr<const PageMap> map;
    std::vector<LazyRange> ranges;
    UniqueFd uffd, pidfd;
    pid_t pid = 0;  ///< the process of pidfd
    uid_t user = 0; ///< who asks
  };
  /// The session's number; when it returns, the keeper has the session. The
  /// same uffd with the same ranges again: the same number. EEXIST if that uffd
  /// belongs to another session, EBADF if it is no uffd, EMFILE if there are
  /// limits().all sessions already, or limits().user of this user.
  Result<uint64_t> attach(Attach request);

  /// A session takes ten descriptors, and a client may close its own: what one
  /// user can have leaves room for others, and all leave room for connections.
  struct Limits {
    size_t all = 0, user = 0;
  };
  static Limits limits();

  /// Takes over what the keeper has; \p find gives a domain by name or nothing.
  /// Returns how many sessions are left for another time, each of which has
  /// logged why.
  size_t adopt(
      const std::function<std::shared_ptr<Domain>(const std::string &)> &find);

  /// Lets go of sessions whose process ended. Uses the catalog.
  void reap();
  /// Learns from the sessions' first faults so far, and has the keeper hold
  /// them.
  void collectOrders();

  /// ENOENT if there is no such session.
  Result<void> drain(uint64_t number);
  /// Brings everything lazy of all sessions. One line for each that still has
  /// something lazy.
  std::vector<std::string> drainAll();

  std::vector<SessionRow> rows() const;
  std::map<std::string, SessionTotals> totals() const;
  std::vector<uint64_t> latencyHistogram() const;

private:
  struct Session;
  Sessions(KeeperLink &link, std::function<void()> ended)
      : link(link), wake(std::move(ended)) {}
  Result<void> adoptOne(
      const std::string &key, uint64_t number,
      const std::function<std::shared_ptr<Domain>(const std::string &)> &find);
  std::shared_ptr<Session> find(SessionId id) const;
  std::vector<std::shared_ptr<Session>> all() const;
  struct Ending {
    SessionId id{};
    std::string why; ///< "": its process is gone
    PageOrder order;
    SessionStats last;
  };
  void finish(const std::shared_ptr<Session> &session, const Ending &ending);
  SessionStats statsOf(SessionId id) const;

  KeeperLink &link;
  std::function<void()> wake;
  std::mutex attachLock; ///< one attach at a time: they look for each other
  /// Between a session's end and the keeper's records of it: an order that is
  /// stored when its session is gone would stay for ever.
  std::mutex recordLock;
  mutable std::mutex lock;
  std::map<uint64_t, std::shared_ptr<Session>> sessions;
  std::map<std::string, SessionTotals> past;
  uint64_t nextNumber = 1;
  std::vector<Ending> endings;
  std::unique_ptr<PageServer> server; ///< goes first: its threads call here
};

} // namespace spacer

#endif
