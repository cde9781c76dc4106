//===- Plan.h - one placement for several images at once ------------------===//
//
// First come, every link appends what is new to it, so each leaves pages half
// full, objects whose content varies lie among those that never do, and what
// all images use lies among what one does. Whoever knows the images
// beforehand does better: makePlan() places the units of all of them as if one
// link had them all. docs/design.md, "Plans", has the reasons.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_PLAN_H
#define SPACER_PLUGIN_PLAN_H

#include "UnitList.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

namespace spacer {

struct PlanOptions {
  /// Plain functions that no measured profile calls hot may stand at multiples
  /// of this (of 8 if pointers to them lead there, as to slots); 16 leaves
  /// them as the compiler asked. Not less than 2: the Itanium C++ ABI keeps a
  /// flag in the lowest bit of a function's address.
  uint64_t functionAlign = 2;
  /// Names of functions and objects that lie before all others, because a guest
  /// needs them all soon (when it starts), by their turn, from 0. A name is a
  /// symbol's or a unit's (FILE:SYMBOL for one of several local symbols), in
  /// either case withoutNumbers().
  llvm::StringMap<uint32_t> turns = {};
};

/// Where one unit is to stand, or one generation of a named object.
struct PlannedUnit {
  const PlanUnit *unit = nullptr; ///< of some image; outlived by the images
  uint64_t offset = 0; ///< in its region; thread-local: below the pointer
  uint64_t capacity = 0, align = 1;
  uint32_t images = 0;   ///< how many have it
  bool varies = false;   ///< a named object with several contents
  bool loosened = false; ///< stands where its own alignment would not allow
};

struct PlannedSlot {
  const PlanSlot *slot = nullptr;
  SlotKind kind = SlotKind::Door;
  uint64_t offset = 0; ///< in its region, for an entry that of its function
};

/// Pages of one owner in the door region; "" is shared by small libraries.
struct PlannedDoors {
  std::string owner;
  uint64_t bytes = 0;
};

/// Pages of one sort, however placed.
struct PageCount {
  uint64_t firstCome = 0, planned = 0, ideal = 0;
  PageCount &operator+=(const PageCount &o) {
    firstCome += o.firstCome;
    planned += o.planned;
    ideal += o.ideal;
    return *this;
  }
};

/// Units that the same images use.
struct PlanGroup {
  std::vector<uint32_t> images;  ///< indices into the input, ascending
  uint64_t units = 0, bytes = 0; ///< of text and read-only data
};

struct Plan {
  std::vector<PlannedUnit> units; ///< by region and offset
  std::vector<PlannedUnit> tls;
  std::vector<PlannedSlot> slots;
  std::vector<PlannedDoors> doors;
  std::vector<std::string> libraries; ///< of all images
  uint64_t bytes[regionCount] = {};   ///< whole pages

  // What it is good for.
  PageCount text, rodata, data, door, got, privatePages;
  std::vector<PlanGroup> groups; ///< as they lie
  /// Functions that are to be entries, but are not in the lists: what they are
  /// bound to changes their identities. Link against this plan and plan again.
  uint64_t unsettled = 0;
  uint64_t loosened = 0;                  ///< functions
  uint64_t inTurn = 0, inTurnBytes = 0;   ///< functions and objects
  uint64_t varying = 0, varyingBytes = 0; ///< set aside
  /// Places as large as their largest object, not the first.
  uint64_t grown = 0;
};

/// Plans \p images, whose order decides nothing but what "first come" means.
/// An error names the image that does not fit the others.
llvm::Expected<Plan> makePlan(llvm::ArrayRef<PlanImage> images,
                              const PlanOptions &options = {});

/// Allocates the plan in \p atlas, which must be new, and adds its rows but
/// for those of units and slots that \p leaveOut has (by identity or key).
llvm::Error writePlan(const Plan &plan, Atlas &atlas,
                      const llvm::DenseSet<Hash128> &leaveOut = {});

} // namespace spacer

#endif
