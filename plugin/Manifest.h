//===- Manifest.h - emits the manifest of an image ------------------------===//

#ifndef SPACER_PLUGIN_MANIFEST_H
#define SPACER_PLUGIN_MANIFEST_H

#include "Atlas.h"
#include "llvm/ADT/StringMap.h"

namespace spacer {

/// Builds the bytes of `.spacer.manifest` in two steps, because the section's
/// size must be known before file offsets are: addX() and size() first, then
/// page hashes, then write(). Layout: runtime/include/spacer/Format.h.
class ManifestBuilder {
public:
  void setAtlas(const Atlas &atlas, uint32_t machine);
  void addUnit(const Hash128 &identity, uint64_t address, uint64_t bytes,
               UnitKind kind, uint32_t flags, llvm::StringRef library,
               llvm::StringRef name);
  void addSlot(uint64_t address, uint64_t target, SlotKind kind,
               uint16_t bytes, llvm::StringRef library, llvm::StringRef name);
  /// Pages by rising address; offsets and hashes may be filled in later.
  std::vector<ManifestPage> pages;
  std::vector<ManifestSlot> slots;

  /// Sorts the tables by address; call once, before size().
  void finish();
  uint64_t size() const;
  /// Writes size() bytes, checksum included.
  void write(uint8_t *out) const;

private:
  uint32_t string(llvm::StringRef s);
  ManifestHeader header{};
  std::vector<ManifestUnit> units;
  std::string strings = std::string(1, '\0');
  llvm::StringMap<uint32_t> stringOffsets;
};

} // namespace spacer

#endif
