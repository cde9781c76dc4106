//===- AtlasPack.cpp - what links look up, packed -------------------------===//

#include "AtlasPack.h"
#include <bit>

namespace spacer {

static_assert(std::endian::native == std::endian::little,
              "packs are written as they lie in memory");

PackedUnit pack(const UnitRow &row) {
  return {row.identity, row.address, row.bytes, uint32_t(row.kind),
          row.library};
}

PackedSlot pack(const SlotRow &row) {
  return {row.key, row.address, row.bytes, uint16_t(row.kind), row.library};
}

UnitRow unpack(const PackedUnit &row) {
  return {row.identity, UnitKind(row.kind), row.address,
          row.bytes,    row.library,        ""};
}

SlotRow unpack(const PackedSlot &row) {
  return {row.key, SlotKind(row.kind), row.address, row.bytes, row.library, ""};
}

Hash128 packDigest(llvm::ArrayRef<uint8_t> units, llvm::ArrayRef<uint8_t> slots,
                   llvm::ArrayRef<uint8_t> pages) {
  return HashBuilder()
      .hash(hashBytes(units))
      .hash(hashBytes(slots))
      .hash(hashBytes(pages))
      .finish();
}

} // namespace spacer
