//===- Options.h - the --spacer-* flags -----------------------------------===//

#ifndef SPACER_PLUGIN_OPTIONS_H
#define SPACER_PLUGIN_OPTIONS_H

#include "Atlas.h"
#include "Model.h"
#include "llvm/Support/GlobPattern.h"

namespace spacer {

/// `NAME[@VERSION]=GLOB`: files that match belong to library NAME.
struct LibraryRule {
  std::string name;
  std::string version; ///< a label for people; never decides sameness
  llvm::GlobPattern glob;
};

struct Options {
  std::string atlas; ///< empty: ld.spacer is lld
  AtlasMode mode = AtlasMode::Grow;
  std::vector<LibraryRule> libraries;
  std::vector<llvm::GlobPattern> privateGlobs;
  std::optional<Window> window;
  Trampolines trampolines = Trampolines::Auto;
  /// PT_LOADs that the image may have, its own included. Unikraft's boot code
  /// takes 128 regions, of which memory maps, initrd and devices need some.
  unsigned maxSegments = 100;
  uint64_t closeGaps = 0; ///< bytes of the largest gap to fill with zero pages
  std::string delta, deltaBase; ///< both or neither
  bool report = false;
  std::string reportFile; ///< empty: standard output
  std::string unitsFile;  ///< where the list of units goes; empty: nowhere
  bool help = false;
  bool any = false; ///< some flag was given

  /// Takes our flags out of \p args. One error names every bad flag's text and
  /// what is expected.
  static llvm::Expected<Options>
  take(llvm::SmallVectorImpl<const char *> &args);
};

extern const char optionsHelp[];

} // namespace spacer

#endif
