//===- Daemon.h - the worker: clients, domains, sessions ------------------===//
//
// One thread waits for sockets (epoll) and never for anything else; jobs do
// what takes time; the PageServer's threads serve faults. Start:
//
//   1. domains and sessions that the keeper has are taken over
//   2. domains of the pool directory are opened, each gets its socket
//   3. the keeper hears "ready"
//
// Stop (order of the keeper, or SIGTERM without one): no new opens or attaches;
// everything lazy is brought; then the end. While a session cannot be drained
// the daemon stays: its lazy pages would become zeros.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_DAEMON_H
#define SPACER_RUNTIME_DAEMON_H

#include "Keeper.h"
#include <string>
#include <sys/types.h>

namespace spacer {

struct DaemonOptions {
  std::string directory; ///< of pools: one folder a domain
  std::string run;       ///< of sockets; exists
  uint64_t capacityPages = 0;
  unsigned threads = 0; ///< that serve faults; 0: as many as cores
  mode_t socketMode = 0660;
  gid_t socketGroup = static_cast<gid_t>(-1);
};

enum class ServeEnd {
  Stopped,     ///< in order; nothing is lazy
  CannotStart, ///< said why
  KeeperLost,  ///< its threads have ended; the caller becomes the keeper
};

/// Runs until told to stop. SIGTERM, SIGINT and SIGHUP are blocked; without a
/// keeper they are taken here.
ServeEnd serve(const DaemonOptions &options, WorkerStart &start);

} // namespace spacer

#endif
