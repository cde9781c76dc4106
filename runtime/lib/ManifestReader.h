//===- ManifestReader.h - bytes to a validated manifest -------------------===//
//
// docs/manifest-format.md in code: what read() gives has the layout, the order
// and the references that the page promises; nothing else is believed about it.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_MANIFESTREADER_H
#define SPACER_RUNTIME_MANIFESTREADER_H

#include "Digest.h"
#include "Result.h"
#include "spacer/Format.h"
#include <span>
#include <string>
#include <vector>

namespace spacer {

struct Manifest {
  ManifestHeader header{};
  std::vector<ManifestPage> pages; ///< by rising address, each once
  std::vector<ManifestUnit> units; ///< by rising address
  std::vector<ManifestSlot> slots; ///< by rising address
  std::string strings;             ///< first and last byte are NUL

  /// \p offset is one of a unit's or slot's: inside the strings.
  const char *text(uint32_t offset) const { return strings.data() + offset; }
  /// The row of the page at \p address, or null. O(log pages).
  const ManifestPage *pageAt(uint64_t address) const;

  /// EBADMSG with what is wrong, prefixed by \p name. \p bytes may be unaligned
  /// and longer than the manifest.
  static Result<Manifest> read(std::span<const uint8_t> bytes,
                               const std::string &name);
};

inline Digest digestIn(const ManifestPage &page) {
  Digest d;
  std::memcpy(d.bytes.data(), page.hash, sizeof page.hash);
  return d;
}

} // namespace spacer

#endif
