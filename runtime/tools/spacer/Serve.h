//===- Serve.h - a snapshot's memory for Firecracker ----------------------===//

#ifndef SPACER_RUNTIME_SERVE_H
#define SPACER_RUNTIME_SERVE_H

#include "Command.h"

namespace spacer {

/// `spacer serve`: a handler for the `Uffd` backend, or a file for the `File`
/// backend, in the foreground.
void addServe(CLI::App &app, Session &session);

} // namespace spacer

#endif
