//===- DeltaObject.h - the ELF file around a delta's recipe ---------------===//

#ifndef SPACER_PLUGIN_DELTAOBJECT_H
#define SPACER_PLUGIN_DELTAOBJECT_H

#include "Delta.h"
#include "DeltaUnits.h"

namespace spacer {

/// The sections, symbols and relocations of a delta object, laid out except
/// for `.spacer.delta`, which stands last in the file.
class DeltaObject {
public:
  DeltaObject(const Library &next, const LibraryChanges &changes);
  ~DeltaObject();

  /// By allocated section.
  llvm::ArrayRef<DeltaUnitState> states() const;
  /// Bytes of all sections but `.spacer.delta`, and where they will stand.
  llvm::StringRef carried() const;
  uint64_t carriedOffset() const;
  /// The whole file; \p delta is the content of `.spacer.delta`.
  std::string finish(llvm::StringRef delta);
  /// Where the content of `.spacer.delta` begins in that file.
  uint64_t deltaOffset() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace spacer

#endif
