//===- PassOptions.h - arguments of the compiler pass ---------------------===//

#ifndef SPACER_PLUGIN_PASS_PASSOPTIONS_H
#define SPACER_PLUGIN_PASS_PASSOPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/GlobPattern.h"
#include <string>
#include <vector>

namespace spacer {

/// What the pass does and to whose code. Each of the switches stands for one of
/// its transformations.
struct PassOptions {
  std::string library; ///< "NAME" or "NAME@VERSION"; empty: the image's own
  std::vector<llvm::GlobPattern> imageData; ///< names that the image defines
  std::string report;                       ///< JSON file; empty: none
  bool help = false;
  bool units = true, imageGot = true, lines = true, frequencies = true,
       tags = true;

  /// Adds one argument: `KEY=VALUE` or `KEY`, as written behind
  /// -fplugin-arg-spacer-. The error names the argument and the valid ones.
  llvm::Error add(llvm::StringRef argument);
};

extern const char passHelp[];

} // namespace spacer

#endif
