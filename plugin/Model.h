//===- Model.h - a link's shared code and data, without lld ---------------===//
//
// What LinkerHooks extracts from a link and what the decisions are made on:
// units, their references, and the function slots that references bind to.
// Indices, not pointers, connect them, so that tests can write a model down.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_MODEL_H
#define SPACER_PLUGIN_MODEL_H

#include "Hash.h"
#include "spacer/Format.h"
#include <string>
#include <vector>

namespace spacer {

/// How slots of functions that the atlas does not know are chosen.
enum class Trampolines { Auto, Door, Entry, None };

/// To what a reference is bound (design 3.2). The binding, not the content of
/// the target, enters the identity of the referring unit.
enum class Binding : uint8_t {
  Slot,    ///< a function: its slot
  Got,     ///< the slot in the GOT that holds a symbol's address
  Unit,    ///< a named object's place, or an anonymous unit's own identity
  Value,   ///< a number: an absolute symbol, a symbol's size
  Private, ///< an address that differs from image to image
};

/// One relocation of a unit.
struct Ref {
  uint64_t offset = 0; ///< of the field in the unit
  uint32_t type = 0;   ///< psABI relocation type
  Binding binding = Binding::Private;
  uint32_t target = 0;  ///< index of a slot or of a unit
  int64_t addend = 0;   ///< Slot, Got: addend; Unit: offset in the unit
  int64_t residual = 0; ///< Unit: addend that does not select a string
};

struct Unit {
  UnitKind kind = UnitKind::Text;
  bool named = false;       ///< a named object: has a place, not an identity
  bool isPrivate = false;   ///< left where lld put it
  bool ownAddress = false;  ///< a function whose place is its address
  bool unstable = false;    ///< a named object whose content differs by image
  bool isLineTable = false; ///< a moved line changes it and nothing else
  uint8_t entsize = 0;      ///< String: of a character
  uint32_t library = 0;     ///< index into Model::libraries
  uint64_t flags = 0;       ///< ELF section flags that matter to the content
  uint64_t align = 1;
  uint64_t bytes = 0;
  Hash128 distinction; ///< of a function from equal ones; zero if none matters
  llvm::ArrayRef<uint8_t> content; ///< empty for bss
  std::string name;                ///< qualified; empty for anonymous data
  const char *reason = nullptr;    ///< why private or unstable
  bool notUnderstood = false; ///< private for want of knowledge: worth a word
  std::vector<Ref> refs;      ///< by rising offset
  /// Index of the slot whose entry this function is, or noSlot. Set before
  /// identities are computed: an entry belongs to one name.
  uint32_t entrySlot = UINT32_MAX;

  // Results.
  Hash128 place; ///< placeKey() of a named object
  Hash128 identity;
  uint32_t generation = 0; ///< of the place, for named objects
  uint64_t address = 0;
};

inline constexpr uint32_t noSlot = UINT32_MAX;
inline constexpr uint32_t noUnit = UINT32_MAX;

struct Slot {
  Hash128 key;
  std::string name;
  uint32_t library = 0; ///< the door's group, index into Model::libraries
  SlotKind kind = SlotKind::Door;
  bool known = false;        ///< the atlas has it
  bool wanted = false;       ///< result: this image needs the slot
  bool mayBeEntry = false;   ///< the only name of a function unit of its own
  bool hot = false;          ///< by a profile: `auto` would make it an entry
  bool measuredHot = false;  ///< and the profile was measured, not estimated
  bool addressTaken = false; ///< so that it may be called from anywhere
  uint64_t heat = 0;         ///< calls, as measured
  uint64_t estimate = 0;     ///< sum of estimatedHeat() of its calls
  uint32_t unit = noUnit;    ///< that it leads to, if that is a shared unit
  uint64_t unitOffset = 0;
  uint16_t bytes = 8;

  // Result.
  uint64_t address = 0;
};

struct Model {
  Trampolines trampolines = Trampolines::Auto;
  std::vector<std::string> libraries; ///< [0] is the image itself
  std::vector<Unit> units;
  std::vector<Slot> slots;
};

/// The key under which the atlas knows the slot of \p name; \p library is empty
/// for global symbols, which one image resolves to one definition.
Hash128 slotKey(llvm::StringRef library, llvm::StringRef name, SlotKind kind,
                unsigned slotBytes);
/// The key under which the atlas knows the place of a named object.
Hash128 placeKey(UnitKind kind, llvm::StringRef library, llvm::StringRef name);

} // namespace spacer

#endif
