//===- InspectPlan.h - spacer inspect --plan ------------------------------===//

#ifndef SPACER_RUNTIME_INSPECTPLAN_H
#define SPACER_RUNTIME_INSPECTPLAN_H

#include "Command.h"

namespace spacer {

/// Adds options and action to the subcommand `inspect`, which must be there;
/// without --plan it is spacer-image's.
void addInspectPlan(CLI::App &app, Session &session);

} // namespace spacer

#endif
