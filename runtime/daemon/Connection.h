//===- Connection.h - one client, and what it may do next -----------------===//
//
// Requests come from whoever may open the socket. Each is checked here, before
// it costs anything; what takes time (reading pages, the catalog, draining) is
// a job, during which the connection is not read. Nothing that one connection
// does makes another wait.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_CONNECTION_H
#define SPACER_RUNTIME_CONNECTION_H

#include "Domain.h"
#include "Protocol.h"
#include "Sessions.h"
#include "Sockets.h"
#include <atomic>
#include <chrono>
#include <functional>

namespace spacer {

struct Reply {
  std::string text;
  std::vector<UniqueFd> fds;
  bool close = false; ///< the connection ends after it

  static Reply error(const Error &why, bool close);
};

/// What a control connection can ask for.
struct Administration {
  std::function<Reply()> stats, reload;
  std::function<Reply(uint64_t session)> drain;
};

class Connection {
public:
  enum class Kind { Domain, Control, Metrics };

  /// \p domain: of Kind::Domain.
  Connection(Kind kind, UniqueFd socket, Peer peer,
             std::shared_ptr<Domain> domain)
      : kind(kind), socket(std::move(socket)), peer(peer),
        domain(std::move(domain)) {}

  const Kind kind;
  UniqueFd socket;
  const Peer peer;
  std::chrono::steady_clock::time_point active =
      std::chrono::steady_clock::now();
  bool busy = false;              ///< a job works for it
  std::atomic<bool> gone = false; ///< the client left; the job may stop
  std::string collected;          ///< Metrics: the request so far, then what
  size_t written = 0;             ///<   is left of the answer

  /// Either answers at once or leaves the work in \p job, which returns false
  /// when it has set \p reply.
  using Job = std::function<bool(Reply &reply)>;
  std::optional<Reply> handle(Packet packet, bool stopping, Sessions &sessions,
                              const Administration &administration, Job &job);
  /// True if it has a lease: then it may be silent.
  bool holdsLease() const { return !opened.empty(); }
  /// Ends its leases. Not while busy; uses the catalog.
  void releaseAll();

private:
  Job openJob(OpenRequest request);
  Result<Reply> attach(AttachRequest &request, std::vector<UniqueFd> &fds,
                       Sessions &sessions);
  Result<void> fillSlice(const PageMap &map, LazyPolicy lazy, size_t &run,
                         uint64_t &page, const std::string &object);
  Result<void> fillCopies(const Plan &plan, size_t &step,
                          const std::string &object);

  std::shared_ptr<Domain> domain;
  std::map<std::string, std::shared_ptr<const PageMap>> opened;
  std::vector<LazyRange> ranges;
};

} // namespace spacer

#endif
