//===- FirecrackerServer.h - the other end of the `Uffd` backend ----------===//
//
// Problem: any number of Firecrackers restore one snapshot and want its pages;
// some connections are wrong, silent or hostile.
// Idea: one thread that never waits for a peer accepts, collects handshakes and
// hands what is right to a PageServer, whose threads answer the faults.
//
//   1. accept; take a pidfd of the peer
//   2. collect the message, for a limited time
//   3. check it against the snapshot, add a session
//   4. when the process ends, or its session breaks: one line in the log
//
// Firecracker's memory is anonymous, so pages are copied into it (UFFDIO_COPY):
// two clones never share a page this way.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_FIRECRACKERSERVER_H
#define SPACER_RUNTIME_FIRECRACKERSERVER_H

#include "FirecrackerProtocol.h"
#include "PageServer.h"
#include <chrono>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <poll.h>
#include <string>
#include <vector>

namespace spacer {

struct FirecrackerServerOptions {
  std::filesystem::path socket;
  unsigned mode = 0600; ///< of the socket's file
  std::string object;   ///< the snapshot, for messages
  std::shared_ptr<HostPool> pool;
  std::shared_ptr<const PageMap> map;
  unsigned threads = 0; ///< 0: as many as cores
  bool once = false;    ///< one session, then no more
  /// How long a peer may take for its message.
  std::chrono::milliseconds patience{5000};
  size_t pending = 64; ///< connections without a whole message
};

class FirecrackerServer {
public:
  using Options = FirecrackerServerOptions;

  /// Listens. EADDRINUSE if a living server has the socket, EEXIST if the file
  /// is no socket; a dead server's socket is replaced.
  static Result<std::unique_ptr<FirecrackerServer>> start(Options options);
  /// Removes the socket's file. See drain().
  ~FirecrackerServer();

  /// Waits until there is something to do for the server, \p more has an event
  /// or \p wait has passed, and does it.
  void turn(std::vector<pollfd> &more, std::chrono::milliseconds wait);

  /// Closes the socket and removes its file; sessions go on.
  void stopListening();
  bool listening() const { return bool(listener); }
  /// Processes that are served, broken sessions included.
  size_t sessions() const { return living.size(); }
  /// Ever.
  size_t accepted() const { return count; }

  /// Brings all pages of all sessions and lets go of their memory, which is
  /// from then on as if no handler had ever been there. Blocks. The error is of
  /// the first session for which that cannot be done; it is served on.
  Result<void> drain();

private:
  using Clock = std::chrono::steady_clock;

  struct Pending {
    UniqueFd socket, pidfd;
    int pid = 0;
    FirecrackerReceiver receiver;
    Clock::time_point deadline;
  };
  struct Living {
    SessionId id;
    int pid;
    std::vector<Region> regions;
    bool broken = false;
  };

  explicit FirecrackerServer(Options options) : options(std::move(options)) {}
  Result<void> listen();
  void accept();
  /// True if \p peer is done with, well or badly.
  bool advance(Pending &peer);
  Result<void> addSession(Pending &peer);
  void takeEnded();
  Result<void> drainOne(const Living &session);

  Options options;
  UniqueFd listener;
  uint64_t socketDevice = 0, socketInode = 0; ///< to remove our own file only
  Clock::time_point acceptAfter{};            ///< when descriptors ran out
  std::list<Pending> waiting;                 ///< oldest first
  std::list<Living> living;
  size_t count = 0;

  /// What the server's threads tell.
  std::mutex lock;
  std::vector<std::pair<SessionId, std::string>> ended;
  UniqueFd endedEvent;

  std::unique_ptr<PageServer> server; ///< first to go: it calls back
};

} // namespace spacer

#endif
