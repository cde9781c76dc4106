//===- Stats.h - spacer stats ---------------------------------------------===//

#ifndef SPACER_RUNTIME_STATS_H
#define SPACER_RUNTIME_STATS_H

#include "Command.h"

namespace spacer {

void addStats(CLI::App &app, Session &session);

/// Where spacerd has its sockets: \p option if not empty, else $SPACER_RUN,
/// else /run/spacer for root and $XDG_RUNTIME_DIR/spacer for others.
std::string daemonDirectory(const std::string &option);

/// What the daemon at \p directory tells about itself (docs/protocol.md). A
/// Failure names the socket.
Json daemonStatistics(const std::string &directory);

} // namespace spacer

#endif
