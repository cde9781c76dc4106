//===- DeltaUnits.h - the units of a library, and what became of them -----===//
//
// The view of a library that a delta object shows to people and tools. What
// base + delta links to never depends on it (Delta.h): a unit that is called
// changed without need makes the delta larger, not wrong.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_DELTAUNITS_H
#define SPACER_PLUGIN_DELTAUNITS_H

#include "Hash.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <string>
#include <vector>

namespace spacer {

/// A symbol of one member, as its symbol table has it.
struct LibrarySymbol {
  static constexpr uint32_t noUnit = UINT32_MAX;

  llvm::StringRef name;
  uint32_t member = 0;
  uint32_t unit = noUnit; ///< that defines it
  uint16_t special = 0;   ///< without a unit: SHN_UNDEF, SHN_ABS or SHN_COMMON
  uint8_t info = 0, other = 0;
  uint64_t value = 0, size = 0;

  uint8_t binding() const { return info >> 4; }
  uint8_t type() const { return info & 15; }
  bool isLocal() const { return binding() == llvm::ELF::STB_LOCAL; }
  bool isDefined() const {
    return unit != noUnit || special != llvm::ELF::SHN_UNDEF;
  }
};

struct LibraryReloc {
  uint64_t offset;
  uint32_t type;
  uint32_t symbol; ///< index into Library::symbols
  int64_t addend;
};

/// An allocated input section of one member.
struct LibraryUnit {
  uint32_t member = 0;
  llvm::StringRef section;
  uint32_t type = 0;
  uint64_t flags = 0, align = 1, entsize = 0, bytes = 0;
  llvm::ArrayRef<uint8_t> content; ///< empty for SHT_NOBITS
  std::vector<LibraryReloc> relocs;
  /// Defined in it, by value, then global before local, then by name; without
  /// section symbols and assemblers' labels.
  llvm::SmallVector<uint32_t, 2> symbols;

  Hash128 who;  ///< section name and symbols
  Hash128 what; ///< everything, with the targets of relocations by name
};

/// Everything refers into the file's buffer, which must outlive it.
struct Library {
  std::vector<std::string> members; ///< [0] is "" if the file is one object
  std::vector<LibrarySymbol> symbols;
  std::vector<LibraryUnit> units;
  uint16_t machine = llvm::ELF::EM_X86_64;

  /// Reads an object or an archive. Members that are no 64-bit little-endian
  /// ELF objects have no units. Fails on what is neither, on broken objects
  /// and on thin archives, whose members lie elsewhere.
  static llvm::Expected<Library> read(llvm::MemoryBufferRef file);
};

/// What became of a library: indices into Library::units.
struct LibraryChanges {
  std::vector<uint32_t> changed, added; ///< of the new library, in its order
  std::vector<uint32_t> removed;        ///< of the base
  std::vector<uint32_t> symbols; ///< of the new library, absolute and common,
                                 ///< which the base has not
  std::vector<std::string> tombstones; ///< `name`, `member:static name`
  size_t same = 0, moved = 0;
};

/// \p baseName stands for the member in the tombstones of a single object.
LibraryChanges compareLibraries(const Library &base, const Library &next,
                                llvm::StringRef baseName);

} // namespace spacer

#endif
