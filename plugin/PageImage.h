//===- PageImage.h - the bytes of shared pages ----------------------------===//

#ifndef SPACER_PLUGIN_PAGEIMAGE_H
#define SPACER_PLUGIN_PAGEIMAGE_H

#include "Placement.h"

namespace spacer {

/// Bytes that this link has written into shared pages: a unit, a slot, or a
/// jump over an old entry.
struct LiveRange {
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool isPatch = false; ///< a jump over an old entry: text may differ here
};

/// A run and where its bytes are in the output.
struct RunBytes {
  Run run;
  uint8_t *bytes = nullptr; ///< null for .bss
};

struct FinishedPages {
  /// Every page that has bytes, with the digest of its content; ascending.
  std::vector<std::pair<uint64_t, Hash128>> hashes;
  uint64_t newPages = 0;    ///< first contents
  uint64_t newVariants = 0; ///< further contents of known pages
  /// Addresses of pages that a frozen atlas had no content for; ascending.
  std::vector<uint64_t> privatePages;
};

/// Makes every page of \p runs whole: what this link wrote (\p live, sorted by
/// address) stays, the rest comes from the first content of the page in the
/// atlas that agrees with it, or, where none does, from the most similar one,
/// and the result is recorded as a new content. A text page may only differ in
/// patched entries: anything else means that an identity did not cover what it
/// must, and fails the link.
llvm::Expected<FinishedPages> finishPages(Atlas &atlas,
                                          llvm::ArrayRef<RunBytes> runs,
                                          llvm::ArrayRef<LiveRange> live);

} // namespace spacer

#endif
