//===- ImageCallers.cpp - shared code that calls into the image -----------===//
//
// A slot that leads into the image itself (a private unit, a function that the
// application defines) has another content in every image, and so has its page:
// 4 KiB for what is often three slots of a C library's start-up code. Where the
// callers are small it is cheaper to leave them to the image as well: it has
// private code pages anyway.
//
// But then they are private units with slots of their own, whose callers come
// next. So the set grows along slots and content references until it is closed,
// or until it is no longer small or meets data (a table of functions needs the
// slot whatever the callers do). Then nothing is changed.
//
//===----------------------------------------------------------------------===//

#include "ImageCallers.h"
#include "Atlas.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace spacer {

namespace {

constexpr uint64_t mostBytes = pageBytes / 2;

class CallerSet {
public:
  explicit CallerSet(Model &m) : model(m) {}
  uint64_t run();

private:
  void index();
  bool addCallersOf(uint32_t slot);
  bool add(uint32_t unit);

  Model &model;
  std::vector<std::vector<uint32_t>> slotCallers; ///< units, by slot
  std::vector<std::vector<uint32_t>> unitSlots;   ///< slots that lead to a unit
  std::vector<std::vector<uint32_t>> bound;       ///< units bound by content
  std::vector<uint32_t> members, pending;
  std::vector<bool> isMember;
  uint64_t bytes = 0;
};

} // namespace

void CallerSet::index() {
  slotCallers.resize(model.slots.size());
  unitSlots.resize(model.units.size());
  bound.resize(model.units.size());
  isMember.resize(model.units.size());
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    if (model.units[u].isPrivate)
      continue;
    for (const Ref &r : model.units[u].refs) {
      if (r.binding == Binding::Slot)
        slotCallers[r.target].push_back(u);
      else if (r.binding == Binding::Unit && !model.units[r.target].named)
        bound[r.target].push_back(u);
    }
  }
  for (uint32_t s = 0; s != model.slots.size(); ++s)
    if (model.slots[s].unit != noUnit && model.slots[s].kind != SlotKind::Got)
      unitSlots[model.slots[s].unit].push_back(s);
}

bool CallerSet::add(uint32_t u) {
  if (isMember[u])
    return true;
  const Unit &unit = model.units[u];
  bytes += unit.bytes;
  if (unit.kind != UnitKind::Text || bytes > mostBytes)
    return false;
  isMember[u] = true;
  members.push_back(u);
  pending.push_back(u);
  return true;
}

bool CallerSet::addCallersOf(uint32_t slot) {
  return llvm::all_of(slotCallers[slot], [&](uint32_t u) { return add(u); });
}

uint64_t CallerSet::run() {
  index();
  for (uint32_t s = 0; s != model.slots.size(); ++s) {
    const Slot &slot = model.slots[s];
    bool varies = slot.kind != SlotKind::Got &&
                  (slot.unit == noUnit || model.units[slot.unit].isPrivate);
    if (varies && !addCallersOf(s))
      return 0;
  }
  while (!pending.empty()) {
    uint32_t u = pending.back();
    pending.pop_back();
    for (uint32_t s : unitSlots[u])
      if (!addCallersOf(s))
        return 0;
    for (uint32_t by : bound[u])
      if (!add(by))
        return 0;
  }
  for (uint32_t u : members) {
    model.units[u].isPrivate = true;
    model.units[u].reason = "calls into the image; smaller than a door page";
  }
  return bytes;
}

uint64_t keepImageCallersPrivate(Model &model) { return CallerSet(model).run(); }

} // namespace spacer
