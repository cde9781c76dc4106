//===- UnitList.h - the units of a link, as lines of JSON -----------------===//
//
// What a planner needs to know of an image and nothing that it does not: no
// bytes, no addresses of the image's own. `ld.spacer --spacer-units=FILE`
// writes it, `spacer atlas plan` reads it. A file may hold several images:
//
//   {"image":"redis","units":9789,"slots":3120,"machine":62,
//    "window":"0x1000000:0x7000000","libraries":["musl",...]}
//   [library, key, kind, bytes, align, identity, private, name, flags, address]
//
// One array a unit, then one a slot. `kind` is text, ro, data, bss, string or
// tls; of a slot door, entry or got. `key` is that of the place or the slot,
// `identity` the unit's (of a slot: what it leads to), both hexadecimal. In
// `flags` the letters mean: n named object, u its content differs by image, l
// line table, f plain function (PlanUnit::plainFunction), a its address is
// taken, h hot, c hot by
// counted calls, m a slot that may be an entry. Columns after `private` may be
// missing, as they are where only sizes and identities are known.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_UNITLIST_H
#define SPACER_PLUGIN_UNITLIST_H

#include "Atlas.h"
#include "Model.h"
#include "llvm/Support/raw_ostream.h"

namespace spacer {

/// A unit as a list has it.
struct PlanUnit {
  std::string library, name;
  Hash128 key; ///< of a named object's place
  Hash128 identity;
  UnitKind kind = UnitKind::Text;
  uint64_t bytes = 0, align = 1;
  uint64_t address = 0; ///< in the link that wrote the list; 0 if private
  bool isPrivate = false;
  bool named = false;    ///< known by its place, not by its content
  bool unstable = false; ///< named, and bound to the image's own addresses
  bool isLineTable = false;
  /// One function and nothing else: its symbol spans the section, no other
  /// symbol names a part of it, shared code knows its address only by a slot,
  /// and nothing seems to read data in it (x86_64::mayHoldAlignedData()).
  /// Then an alignment of 16 is the compiler's taste.
  bool plainFunction = false;
  bool taken = false; ///< something refers to it otherwise than by a call
};

struct PlanSlot {
  std::string library, name;
  Hash128 key;
  SlotKind kind = SlotKind::Door;
  uint16_t bytes = 8;
  Hash128 target; ///< zero: it leads into the image itself
  uint64_t address = 0;
  bool hot = false, measuredHot = false, mayBeEntry = false;
};

struct PlanImage {
  std::string name;
  uint32_t machine = 62;
  std::optional<Window> window;
  std::vector<PlanUnit> units;
  std::vector<PlanSlot> slots;        ///< those that the image uses
  std::vector<std::string> libraries; ///< also those that have no unit
};

/// Reads all images of a list. \p path names it in errors, with the line.
llvm::Expected<std::vector<PlanImage>> readUnitList(llvm::StringRef text,
                                                    llvm::StringRef path);
/// The list of one image.
void writeUnitList(const PlanImage &image, llvm::raw_ostream &os);

/// What a placed model says to a planner. \p plainFunctions and \p taken
/// (PlanUnit) are by unit.
PlanImage planImage(const Model &model, const Atlas &atlas,
                    llvm::StringRef name,
                    const std::vector<bool> &plainFunctions,
                    const std::vector<bool> &taken);

} // namespace spacer

#endif
