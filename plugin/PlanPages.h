//===- PlanPages.h - the bytes of planned pages ---------------------------===//

#ifndef SPACER_PLUGIN_PLANPAGES_H
#define SPACER_PLUGIN_PLANPAGES_H

#include "Plan.h"

namespace spacer {

/// What one link against the plan's rows made of them.
struct PlannedLink {
  PlanImage image;              ///< with addresses
  std::unique_ptr<Atlas> atlas; ///< its copy of the plan's rows, now with pages
};

struct PlanPagesResult {
  uint64_t pages = 0, contents = 0;
};

/// Adds to \p atlas, which has the plan's rows, the bytes of its pages: each
/// unit's from a link that has it. Where images give a page different bytes it
/// gets a content for each; a text page with two is an error, for its units
/// would not be what their identities say.
llvm::Expected<PlanPagesResult>
addPlannedPages(Atlas &atlas, llvm::MutableArrayRef<PlannedLink> links);

/// Units and slots of \p plan that no link has, or not where the plan says: by
/// identity or key, for writePlan() to leave out. \p atlas has the plan's rows.
llvm::DenseSet<Hash128> findUnused(const Plan &plan, Atlas &atlas,
                                   llvm::ArrayRef<PlannedLink> links);

/// Units and slots of \p links that the plan's rows in \p atlas lack: bound to
/// what the plan itself has moved. Plan again, from these links' lists.
uint64_t countUnplanned(Atlas &atlas, llvm::ArrayRef<PlannedLink> links);

} // namespace spacer

#endif
