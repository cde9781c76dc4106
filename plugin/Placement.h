//===- Placement.h - where units, slots and objects stand -----------------===//

#ifndef SPACER_PLUGIN_PLACEMENT_H
#define SPACER_PLUGIN_PLACEMENT_H

#include "Atlas.h"
#include "Model.h"

namespace spacer {

/// Whole pages of one region that an image maps in one piece.
struct Run {
  Region region = Region::Text;
  uint64_t base = 0;
  uint64_t bytes = 0;
  std::string library; ///< of a large library's own door pages
};

struct PlacementStats {
  uint64_t knownUnits = 0, newUnits = 0, newBytes = 0, newSlots = 0,
           newPlaces = 0;
};

/// Share of all profiled calls that entry slots are given to, in `auto`.
inline constexpr double hotShare = 0.97;
/// The same of estimates, which say less and are spread wider.
inline constexpr double estimateShare = 0.92;

/// What one call, estimated at \p weight (tagEstimated), counts for a function
/// of \p bytes. A door costs the same for each call, so it costs most where a
/// call does little: small functions first. Of the estimate only the magnitude
/// is worth something.
uint64_t estimatedHeat(uint64_t weight, uint64_t bytes);

/// A library with at least so many new slots gets door pages of its own, so
/// that its versions do not multiply its neighbours' variants.
inline constexpr unsigned ownDoorSlots = 256;
/// Owner of the door pages whose slots lead into the image itself (`main`, what
/// an application overrides, private units): they differ from image to image.
inline constexpr char imageDoors[] = "image";

/// Decides kinds and addresses of slots, places of named objects, identities
/// and addresses of units, in that order, allocating from \p atlas in Grow
/// mode. In Frozen mode what the atlas does not have becomes private. After an
/// error the model is unusable; the atlas file is untouched until commit().
llvm::Expected<PlacementStats> place(Model &model, Atlas &atlas);

/// The runs that an image needs for its units and slots: the pages that they
/// touch, plus unused shared pages between them where that saves a mapping
/// (they come from the atlas and cost the host nothing), in at most \p maxRuns
/// pieces of memory, or one for each part if that is more: the smallest gaps
/// are filled first. Door pieces are cut where the owner of the pages changes,
/// without a gap. \p usedSlots lists slots to include. Sorted by address.
std::vector<Run> mapRuns(const Model &model, Atlas &atlas,
                         llvm::ArrayRef<uint32_t> usedSlots, unsigned maxRuns);

Region regionOf(UnitKind kind);

} // namespace spacer

#endif
