//===- Statistics.h - what the daemon tells about itself ------------------===//

#ifndef SPACER_RUNTIME_STATISTICS_H
#define SPACER_RUNTIME_STATISTICS_H

#include "Sessions.h"
#include <string>
#include <vector>

namespace spacer {

struct DomainRow {
  std::string name;
  uint64_t committedPages = 0, presentPages = 0, capacityPages = 0;
  SessionTotals totals;
};

struct DaemonStatistics {
  pid_t pid = 0, keeper = 0; ///< keeper: 0 if there is none
  double uptimeSeconds = 0;  ///< of this worker
  uint64_t restarts = 0;
  uint64_t connections = 0; ///< open now
  uint64_t accepted = 0;
  uint64_t refusedRequests = 0, refusedConnections = 0, silent = 0;
  std::vector<DomainRow> domains;
  std::vector<SessionRow> sessions;
  std::vector<uint64_t> latency; ///< PageServer::latencyHistogram()
};

/// One JSON document.
std::string asJson(const DaemonStatistics &statistics);
/// Prometheus text, version 0.0.4.
std::string asMetrics(const DaemonStatistics &statistics);

} // namespace spacer

#endif
