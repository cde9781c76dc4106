//===- Tags.h - reads .spacer.tags ----------------------------------------===//

#ifndef SPACER_PLUGIN_TAGS_H
#define SPACER_PLUGIN_TAGS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace spacer {

/// What the tags of one file say. Strings point into the section's content.
struct FileTags {
  struct Entry {
    uint64_t offset;         ///< of the word whose relocation names the symbol
    llvm::StringRef name;    ///< "FILE:NAME" of a local symbol, or empty
    llvm::StringRef library; ///< without its version; empty: see the file's
  };
  llvm::StringRef library; ///< of the whole file, without its version
  /// Of which the file holds code too, after `ld -r`: then nobody knows whose
  /// the rest is, and `library` is empty.
  llvm::StringRef otherLibrary;
  bool isMixed = false; ///< link-time optimisation: what has no entry belongs
                        ///< to whoever refers to it
  bool isEstimated = false; ///< so is its call graph profile, not measured
  std::vector<Entry> entries;
};

/// Reads a whole section: one chunk after the other (TagFormat.h). \p where
/// names the file in errors.
llvm::Expected<FileTags> readTags(llvm::ArrayRef<uint8_t> content,
                                  llvm::StringRef where);

} // namespace spacer

#endif
