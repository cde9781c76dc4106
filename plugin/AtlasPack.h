//===- AtlasPack.h - what links look up, packed ---------------------------===//
//
// A link on a known set of libraries asks the atlas for thousands of addresses,
// and SQLite takes 2,000 instructions to give one row, 20,000 for the digest of
// a page, whose row must be read whole to be found. So each link that adds rows
// adds one row more, a *pack*: arrays of what look-ups want of the others, in
// the order of their ids. It is written in the same transaction, so it is there
// if and only if they are. A link reads all packs one after the other, a few
// dozen pages of the file, and has all answers in memory.
//
// The arrays are little-endian, as the hosts that build this are. The rows
// remain what counts: `spacer atlas check` compares the packs with them, and
// where packs would be many times what a link needs, or are missing (files of
// format 2), look-ups go to the rows.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_ATLASPACK_H
#define SPACER_PLUGIN_ATLASPACK_H

#include "Atlas.h"

namespace spacer {

struct PackedUnit {
  Hash128 identity;
  uint64_t address = 0;
  uint64_t bytes = 0;
  uint32_t kind = 0;
  uint32_t library = 0;

  bool operator==(const PackedUnit &) const = default;
};

struct PackedSlot {
  Hash128 key;
  uint64_t address = 0;
  uint16_t bytes = 0;
  uint16_t kind = 0;
  uint32_t library = 0;

  bool operator==(const PackedSlot &) const = default;
};

/// The oldest content of a page.
struct PackedPage {
  uint64_t address = 0;
  Hash128 hash;

  bool operator==(const PackedPage &) const = default;
};

static_assert(sizeof(PackedUnit) == 40 && sizeof(PackedSlot) == 32 &&
              sizeof(PackedPage) == 24);

PackedUnit pack(const UnitRow &row);
PackedSlot pack(const SlotRow &row);
/// Without the name.
UnitRow unpack(const PackedUnit &row);
SlotRow unpack(const PackedSlot &row);

/// What one link added.
struct Pack {
  std::vector<PackedUnit> units;
  std::vector<PackedSlot> slots;
  std::vector<PackedPage> pages;

  bool empty() const { return units.empty() && slots.empty() && pages.empty(); }
};

/// Of a pack's three arrays. SQLite sees damage of its own structures, which an
/// array is too long to have any of.
Hash128 packDigest(llvm::ArrayRef<uint8_t> units, llvm::ArrayRef<uint8_t> slots,
                   llvm::ArrayRef<uint8_t> pages);

template <class Row>
llvm::ArrayRef<uint8_t> packedBytes(const std::vector<Row> &rows) {
  return {reinterpret_cast<const uint8_t *>(rows.data()),
          rows.size() * sizeof(Row)};
}

/// Appends the rows of \p blob; false if it holds no whole number of them.
template <class Row>
bool appendPacked(std::vector<Row> &rows, llvm::ArrayRef<uint8_t> blob) {
  if (blob.size() % sizeof(Row))
    return false;
  size_t old = rows.size();
  rows.resize(old + blob.size() / sizeof(Row));
  if (!blob.empty())
    memcpy(rows.data() + old, blob.data(), blob.size());
  return true;
}

} // namespace spacer

#endif
