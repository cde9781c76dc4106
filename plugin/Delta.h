//===- Delta.h - what turns one version of a library into the next --------===//
//
// A delta object is an ELF relocatable file with two halves (docs/delta-
// format.md). For people and tools: the sections of changed and new units,
// their symbols and relocations, and tombstones for removed symbols. For the
// linker: `.spacer.delta`, a recipe that makes the next version's file out of
// the base's, byte for byte. So a link of base + delta is a link of the next
// version, whatever either half says about units.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_DELTA_H
#define SPACER_PLUGIN_DELTA_H

#include "Hash.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <vector>

namespace spacer {

inline constexpr char deltaSectionName[] = ".spacer.delta";
inline constexpr char tombstonesSectionName[] = ".spacer.tombstones";

/// Where `.spacer.delta` begins. The library's name, the base's file name, one
/// DeltaUnitState for each allocated section of the file, and the recipe (one
/// zstd frame) follow in this order, to the section's end. Little-endian.
struct DeltaHeader {
  char magic[8];
  llvm::support::ulittle32_t version;
  llvm::support::ulittle32_t headerBytes; ///< sizeof(DeltaHeader)
  uint8_t checksum[16]; ///< of the file's bytes before and behind this field
  uint8_t baseHash[16], nextHash[16];
  llvm::support::ulittle64_t baseBytes, nextBytes;
  /// The part of the delta file that, behind the base, is the frame's prefix.
  llvm::support::ulittle64_t carriedOffset, carriedBytes;
  llvm::support::ulittle64_t recipeBytes;
  llvm::support::ulittle32_t libraryBytes, baseNameBytes, unitCount;
  llvm::support::ulittle32_t removedCount, sameCount, movedCount;
};
static_assert(sizeof(DeltaHeader) == 128);

enum class DeltaUnitState : uint8_t { Changed = 1, New = 2 };

/// A validated delta object. Refers into the file's buffer.
struct Delta {
  llvm::StringRef file; ///< path
  llvm::StringRef library, baseName;
  Hash128 baseHash, nextHash;
  uint64_t baseBytes = 0, nextBytes = 0;
  uint64_t removedUnits = 0, sameUnits = 0, movedUnits = 0;
  llvm::ArrayRef<uint8_t> states; ///< DeltaUnitState, by allocated section
  std::vector<llvm::StringRef> tombstones;
  llvm::ArrayRef<uint8_t> carried, recipe;
};

/// `libfoo.a` and `foo.o` are library foo.
llvm::StringRef libraryOfFile(llvm::StringRef path);

/// The delta object from \p base to \p next, two objects or archives. Depends
/// on their bytes, \p library, the base's file name (not its folder) and the
/// version of libzstd.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
makeDelta(llvm::MemoryBufferRef base, llvm::MemoryBufferRef next,
          llvm::StringRef library);

/// An ELF relocatable file with a `.spacer.delta` section, valid or not.
bool isDelta(llvm::StringRef file);

/// Checks sizes, bounds and the checksum of a file that isDelta().
llvm::Expected<Delta> readDelta(llvm::MemoryBufferRef file);

/// The next version, under the base's path. Fails, and says what was expected,
/// if \p base is not the one that the delta was made from.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
applyDelta(llvm::MemoryBufferRef base, const Delta &delta);

/// Writes \p bytes to a temporary file beside \p path and renames it.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef bytes);

} // namespace spacer

#endif
