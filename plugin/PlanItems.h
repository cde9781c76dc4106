//===- PlanItems.h - what several images have between them ----------------===//
//
// Shared by Plan.cpp, which places it, and PlanGain.cpp, which counts.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_PLANITEMS_H
#define SPACER_PLUGIN_PLANITEMS_H

#include "Placement.h"
#include "Plan.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

namespace spacer {

inline constexpr uint32_t noTurn = UINT32_MAX;

/// What has one place in all images: a unit, or all contents of an object.
struct Item {
  const PlanUnit *unit = nullptr; ///< the smallest by name
  uint64_t bytes = 0, align = 1;  ///< most of any image
  uint64_t distinctBytes = 0;     ///< of all its contents
  uint64_t entryBytes = 0;        ///< room that its entry slot needs
  llvm::BitVector images;         ///< that have it, in PlanItems::order
  bool varies = false;            ///< an object with several contents
  bool hot = false, measuredHot = false;
  bool seen = false;      ///< its place is its address: an entry, or taken so
  bool plain = true;      ///< PlanUnit::plainFunction in all
  uint32_t set = 0;       ///< rank of `images`
  uint32_t turn = noTurn; ///< in PlanOptions::turns
  /// The content in each image that has it.
  llvm::SmallVector<std::pair<uint32_t, Hash128>, 0> contents;

  // Results.
  bool placed = false;
  uint64_t offset = 0, capacity = 0; ///< in its region

  Region region() const { return regionOf(unit->kind); }
};

/// All slots of one key.
struct SlotItem {
  const PlanSlot *slot = nullptr;
  llvm::BitVector images;
  Hash128 target;
  bool varies = false;    ///< leads elsewhere in some image
  bool intoImage = false; ///< leads into the image itself in some image
  bool entry = false, mayBeEntry = true, measuredHot = false;
  /// Was an entry in each list, as its function's identity says then.
  bool settled = true;
  uint32_t turn = noTurn;
  SlotKind kind = SlotKind::Door; ///< result
};

struct PlanItems {
  std::vector<uint32_t> order; ///< canonical: indices into the images
  std::vector<Item> items;
  llvm::DenseMap<Hash128, uint32_t> itemOf; ///< by keyOf()
  std::vector<SlotItem> slots;
  llvm::DenseMap<Hash128, uint32_t> slotItemOf;
};

/// An object is known by its place, all else by what it is.
inline const Hash128 &keyOf(const PlanUnit &u) {
  return u.named ? u.key : u.identity;
}

/// Fills in the counts of \p plan.
void countPages(llvm::ArrayRef<PlanImage> images, const PlanItems &all,
                Plan &plan);

} // namespace spacer

#endif
