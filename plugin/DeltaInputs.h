//===- DeltaInputs.h - delta objects among a link's inputs ----------------===//
//
// A delta object on the command line is no input of its own: it changes the
// input that is its base, wherever that stands. The order of deltas does not
// matter, since each one names its base; a chain is followed to its end.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_DELTAINPUTS_H
#define SPACER_PLUGIN_DELTAINPUTS_H

#include "Delta.h"
#include "Options.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace spacer {

class DeltaInputs {
public:
  /// Takes delta objects out of a linker's command line.
  llvm::Error scan(llvm::SmallVectorImpl<const char *> &args);
  /// What stands for an input: itself, or the version that deltas make of it,
  /// under the same path and owned by this object. \p input must live as long.
  llvm::Expected<llvm::MemoryBufferRef> replace(llvm::MemoryBufferRef input);
  /// After all inputs: fails if a delta met no base.
  llvm::Error finish() const;
  /// Writes the delta from \p baseFile to the input that took its place: the
  /// one with the same file name, or else of the same library.
  llvm::Error write(llvm::StringRef baseFile, llvm::StringRef out,
                    llvm::ArrayRef<LibraryRule> rules) const;

private:
  struct Entry {
    std::unique_ptr<llvm::MemoryBuffer> buffer;
    Delta delta;
    bool used = false;
  };
  struct Input {
    llvm::MemoryBufferRef read, used;
  };
  llvm::Expected<Entry *> next(llvm::MemoryBufferRef current,
                               llvm::ArrayRef<Entry *> done);

  std::vector<std::unique_ptr<Entry>> deltas;
  std::vector<Input> inputs;
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> made;
};

} // namespace spacer

#endif
