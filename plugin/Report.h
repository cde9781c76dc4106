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
  /// PT_LOADs: how many, the bytes from the lowest to the highest address,
  /// which a guest's memory must reach (and some loaders write in full), and
  /// the bytes in them; whole pages.
  uint64_t segments = 0, lowest = UINT64_MAX, highest = 0, loadedBytes = 0;

  /// Writes text, or JSON if \p file ends in .json; "" is standard output.
  llvm::Error write(const Model &model, const Atlas &atlas,
                    const std::vector<bool> &slotUsed,
                    llvm::StringRef file) const;
};

} // namespace spacer

#endif
