//===- ManifestView.h - a manifest, read and checked ----------------------===//

#ifndef SPACER_TOOL_MANIFESTVIEW_H
#define SPACER_TOOL_MANIFESTVIEW_H

#include "Hash.h"
#include "spacer/Format.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace spacer {

/// The tables of `.spacer.manifest`. After parse() they can be used without
/// further checks: tables are sorted, enumerators and string offsets valid.
struct ManifestView {
  ManifestHeader header;
  std::vector<ManifestPage> pages;
  std::vector<ManifestUnit> units;
  std::vector<ManifestSlot> slots;
  std::string strings;

  /// \p section is the whole section. The error says where and what, without a
  /// file name.
  static llvm::Expected<ManifestView> parse(llvm::ArrayRef<uint8_t> section);

  llvm::StringRef string(uint32_t offset) const {
    return strings.c_str() + offset;
  }
  llvm::StringRef name(const ManifestUnit &u) const { return string(u.name); }
  llvm::StringRef name(const ManifestSlot &s) const { return string(s.name); }
  /// The page at \p address, or null.
  const ManifestPage *page(uint64_t address) const;
};

inline Hash128 digest(const uint8_t (&bytes)[16]) {
  Hash128 h;
  memcpy(h.bytes.data(), bytes, 16);
  return h;
}

llvm::StringRef className(PageClass c);
llvm::StringRef kindName(UnitKind k);
llvm::StringRef kindName(SlotKind k);
inline constexpr unsigned pageClassCount = 8;
inline constexpr unsigned unitKindCount = 6;
inline constexpr unsigned slotKindCount = 3;

/// Whether pages of this class are the atlas's.
inline bool isShared(PageClass c) {
  return c != PageClass::Private && c != PageClass::Zero;
}

} // namespace spacer

#endif
