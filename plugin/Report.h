//===- Report.h - what a link shared, and why not the rest ----------------===//

#ifndef SPACER_PLUGIN_REPORT_H
#define SPACER_PLUGIN_REPORT_H

#include "PageImage.h"
#include "Placement.h"

namespace spacer {

struct LinkReport {
  PlacementStats placement;
  FinishedPages pages;
  uint64_t patchedEntries = 0;

  /// Writes text, or JSON if \p file ends in .json; "" is standard output.
  llvm::Error write(const Model &model, const Atlas &atlas,
                    const std::vector<bool> &slotUsed,
                    llvm::StringRef file) const;
};

} // namespace spacer

#endif
