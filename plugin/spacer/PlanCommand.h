//===- PlanCommand.h - spacer atlas plan ----------------------------------===//

#ifndef SPACER_TOOL_PLANCOMMAND_H
#define SPACER_TOOL_PLANCOMMAND_H

#include "Command.h"

namespace spacer {

/// Adds `plan` below \p atlas.
void addAtlasPlan(CLI::App &atlas, Session &session);

} // namespace spacer

#endif
